// The files that the page loads, part of the module graph so that the app needs
// no permission to read files.

import controlsCss from "./assets/controls.css" with { type: "text" };
import pageCss from "./assets/page.css" with { type: "text" };
import partsCss from "./assets/parts.css" with { type: "text" };
import burst from "./assets/burst.js" with { type: "text" };
import forms from "./assets/forms.js" with { type: "text" };
import morph from "./assets/morph.js" with { type: "text" };
import page from "./assets/page.js" with { type: "text" };
import parts from "./assets/parts.js" with { type: "text" };

const FILES = new Map([
  ["page.css", pageCss + controlsCss + partsCss],
  ["burst.js", burst],
  ["forms.js", forms],
  ["morph.js", morph],
  ["page.js", page],
  ["parts.js", parts],
]);

/** Returns the file of this name. */
export function asset(name: string): Response {
  const content = FILES.get(name);
  if (content === undefined) return new Response("Not found", { status: 404 });
  const type = name.endsWith(".css") ? "text/css" : "text/javascript";
  return new Response(content, {
    headers: { "Content-Type": `${type}; charset=utf-8` },
  });
}
