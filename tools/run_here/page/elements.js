// Elements that scripts add to a page.

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function button(label, onclick, properties = {}) {
  return element("button", { type: "button", textContent: label, onclick, ...properties });
}

// Add a style sheet that lies beside this script, and wait for it.
export function addStyle(name) {
  const link = element("link", { rel: "stylesheet", href: new URL(name, import.meta.url) });
  document.head.append(link);
  return new Promise((resolve) => { link.onload = link.onerror = resolve; });
}
