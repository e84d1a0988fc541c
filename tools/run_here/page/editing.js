// An editor in place of a cell's code.
import {
  EditorState, EditorView, bracketMatching, classHighlighter, defaultKeymap, history, historyKeymap,
  indentOnInput, indentUnit, indentWithTab, keymap, pythonLanguage, syntaxHighlighting,
  temporarilySetTabFocusMode,
} from "./vendor/editor.js";

// Replace an element by an editor of some Python. Shift+Enter runs it; Escape, then Tab, leaves it.
export function editor(place, content, { onChange, onRun, label }) {
  const runs = (view) => { onRun(view); return true; };
  const view = new EditorView({
    state: EditorState.create({
      doc: content,
      extensions: [
        keymap.of([
          { key: "Shift-Enter", run: runs },
          { key: "Mod-Enter", run: runs },
          { key: "Escape", run: temporarilySetTabFocusMode },
          indentWithTab, ...historyKeymap, ...defaultKeymap,
        ]),
        EditorView.lineWrapping, // a box that scrolls sideways is out of reach for a keyboard
        history(), bracketMatching(), indentOnInput(), indentUnit.of("    "),
        pythonLanguage, syntaxHighlighting(classHighlighter),
        EditorView.contentAttributes.of({
          "aria-label": `${label}. Shift+Enter runs it; Escape, then Tab, leaves it.`,
          spellcheck: "false", autocapitalize: "off",
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  place.closest(".highlight")?.classList.add("has-editor");
  place.replaceWith(view.dom);
  return {
    focus() { view.focus(); },
    setContent(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
  };
}
