// Markdown that a cell prints.
export { marked } from "marked";
