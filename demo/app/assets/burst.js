// Sends fifty requests at once that each add one thing to the same cart, and
// counts how many are in it afterwards.

import { show } from "./parts.js";

const REQUESTS = 50;
const RESULTS_KEPT = 4;

/** Makes the buttons of the page work. */
export function enableBursts() {
  const part = document.getElementById("burst");
  const origins = part.dataset.origins.split(" ");
  const buttons = [...part.querySelectorAll("button")];
  for (const button of buttons) {
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      for (const it of buttons) it.setAttribute("aria-disabled", "true");
      const line = report(`${button.textContent}: under way.`);
      try {
        const outcome = await burst(button, origins);
        line.textContent = `${button.textContent}: ${outcome}`;
      } catch {
        line.textContent =
          `${button.textContent}: an app process does not answer.`;
      } finally {
        for (const it of buttons) it.removeAttribute("aria-disabled");
      }
    });
  }
}

async function burst({ dataset: { burst: path } }, origins) {
  const batch = Math.random().toString(36).slice(2, 10);
  // Without a session yet, each of the fifty would begin one of its own.
  await add("/cart", { thing: "Bread" });
  const start = performance.now();
  const answers = await Promise.all(
    Array.from(
      { length: REQUESTS },
      (_, n) =>
        add(origins[n % origins.length] + path, { thing: "Tea", batch }),
    ),
  );
  const seconds = (performance.now() - start) / 1000;
  const kept = await (await fetch(`/background/batch/${batch}`)).json();
  show(await (await fetch("/")).text());
  const served = answers.filter((ok) => ok).length;
  const parts = [`${kept} of ${REQUESTS} kept`, `${served - kept} lost`];
  if (served < REQUESTS) parts.push(`${REQUESTS - served} not served`);
  return `${parts.join(", ")}, ${seconds.toFixed(1)} s.`;
}

/** Sends one request; whether it was served. */
function add(url, form) {
  return fetch(url, {
    method: "POST",
    credentials: "include",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(form),
  }).then(({ ok }) => ok, () => false);
}

function report(text) {
  const results = document.getElementById("burst-results");
  const line = document.createElement("li");
  line.textContent = text;
  results.prepend(line);
  results.children[RESULTS_KEPT]?.remove();
  return line;
}
