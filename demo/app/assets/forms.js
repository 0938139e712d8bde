// Sends the forms of the page without leaving it, so that a request under way is
// not cut off by the next one. Without this script they work as plain forms.

import { notify, show, user } from "./parts.js";

/** Takes over all forms. */
export function takeOverForms() {
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const { target: form, submitter } = event;
    (form.id === "slow" ? sendSlow(form) : send(form, submitter))
      .catch(() => notify("This app process does not answer."));
  });
}

async function send(form, submitter) {
  const response = await fetch(
    submitter?.getAttribute("formaction") ?? form.getAttribute("action"),
    {
      method: "POST",
      body: new URLSearchParams(new FormData(form, submitter)),
    },
  );
  show(await response.text());
}

async function sendSlow(form) {
  const button = form.querySelector("button");
  const output = form.querySelector("output");
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  output.textContent = "The request is at work.";
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
    });
    show(await (await fetch("/")).text());
    output.textContent = response.ok
      ? outcome(await response.json())
      : "Not served: no server that holds the session answers.";
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** `loaded` is what the request found when it began. */
function outcome(loaded) {
  return loaded.user !== null && user() === undefined
    ? "Done. Its save was refused: you are still logged out."
    : "Done and saved.";
}
