// Messages that pass, some with a way back.

import { element } from "./common/elements.js";
import { button } from "./dom.js";

const STAY_MS = 9000;
const MOST = 3;
const measured = new ResizeObserver(([{ target }]) => {
  document.documentElement.style.setProperty("--told", `${target.offsetHeight}px`);
});
let cameFrom = null; // what had the focus before a message had it

export function toast(text, { undo, problem = false, link } = {}) {
  const place = document.getElementById("toasts");
  measured.observe(place);
  const shown = element("div", { class: problem ? "toast problem" : "toast" }, element("span", {}, text));
  const close = () => take(shown);
  // A complaint is made once; two decisions may read alike, and each has its way back.
  if (!undo) for (const same of [...place.children].filter((one) => one.firstElementChild.textContent === text)) take(same);
  if (link) shown.append(element("a", { href: link.href, onclick: close }, link.text));
  if (undo) {
    shown.append(button("Undo", () => {
      close();
      undo();
    }, { class: "plain" }));
  }
  shown.append(button("×", close, { class: "plain close", "aria-label": "Close this message" }));
  place.append(shown);
  while (place.children.length > MOST) take(place.firstElementChild);
  let timer = setTimeout(close, problem ? 2 * STAY_MS : STAY_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    timer = setTimeout(close, STAY_MS);
  };
  shown.addEventListener("focusin", (event) => {
    if (!place.contains(event.relatedTarget)) cameFrom = event.relatedTarget;
  });
  for (const event of ["pointerenter", "focusin"]) shown.addEventListener(event, hold);
  for (const event of ["pointerleave", "focusout"]) shown.addEventListener(event, release);
}

export function clearToasts() {
  for (const one of [...document.getElementById("toasts").children]) take(one);
}

// The focus goes back to where it came from.
function take(shown) {
  const hadFocus = shown.contains(document.activeElement);
  shown.remove();
  if (hadFocus) (cameFrom?.isConnected && cameFrom.checkVisibility() ? cameFrom : document.getElementById("main")).focus();
}
