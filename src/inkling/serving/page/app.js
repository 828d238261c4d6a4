// The page: which view is shown, and what all views share.

import { get, keepToken, onTokenNeeded } from "./api.js";
import { element } from "./common/elements.js";
import { CHANGED, complain, takeBackLatest } from "./decisions.js";
import { ask } from "./dialogs.js";
import { counted } from "./words.js";
import { AskView } from "./views/ask.js";
import { CheckView } from "./views/check.js";
import { ClassesView } from "./views/classes.js";
import { HistoryView } from "./views/history.js";
import { LabelView } from "./views/label.js";
import { ReviewView } from "./views/review.js";

const VIEWS = { ask: AskView, classes: ClassesView, review: ReviewView, label: LabelView, check: CheckView, history: HistoryView };
const LOOK_AGAIN_MS = 5000;

const byId = (id) => document.getElementById(id);
const kept = {}; // views that keep what they hold while another one is shown
let shown = null;
let state = null;

async function main() {
  onTokenNeeded(tokenFromPerson);
  document.addEventListener(CHANGED, () => look({ changed: true }));
  document.addEventListener("keydown", undoByKey);
  document.addEventListener("keydown", messagesByKey);
  byId("undo").onclick = takeBackLatest;
  window.addEventListener("hashchange", show);
  await look();
  show();
  const lookIfSeen = () => document.visibilityState === "visible" && look();
  document.addEventListener("visibilitychange", lookIfSeen);
  setInterval(lookIfSeen, LOOK_AGAIN_MS);
}

// Where the service stands; the view looks again where something was changed, here or by others.
async function look({ changed = false } = {}) {
  let now;
  try {
    now = await get("/v1/about");
  } catch (error) {
    if (state === null || !byId("memory").classList.contains("problem")) complain(error);
    byId("memory").classList.add("problem");
    byId("memory").textContent = "no answer";
    return;
  }
  const before = state;
  state = now;
  byId("memory").classList.remove("problem");
  byId("memory").textContent = [now.memory, now.fitted ? `version ${now.memory_version}` : "new", !now.may_write && "read only"].filter(Boolean).join(" · ");
  byId("memory").title = `${counted(now.classes, "class", "classes")}, ${counted(now.images, "picture")}, encoder ${now.encoder}`;
  const open = byId("n-open");
  open.hidden = !now.proposals;
  open.textContent = now.proposals;
  open.setAttribute("aria-label", `, ${counted(now.proposals, "open group")}`);
  byId("undo").hidden = !now.may_write;
  if (changed || (before && before.memory_version !== now.memory_version)) shown?.memoryChanged?.(now);
}

function show() {
  const wanted = location.hash.slice(1) || (state?.fitted === false ? "classes" : "ask");
  const name = VIEWS[wanted] ? wanted : "ask";
  for (const link of document.querySelectorAll("nav a")) {
    const isHere = link.hash === `#${name}`;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  shown?.leave?.();
  const view = (kept[name] ??= new VIEWS[name]({ state: () => state }));
  shown = view;
  document.title = `${view.title} · Inkling`;
  const main = byId("main");
  const wasIn = main.contains(document.activeElement);
  main.replaceChildren(view.root);
  if (wasIn) main.focus(); // a link within the view led here
  view.enter?.();
}

function undoByKey(event) {
  const isTyping = event.target.closest("dialog") || (event.target.matches("input:not([type=file])") && event.target.value);
  if (!isTyping && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !byId("undo").hidden) {
    event.preventDefault();
    takeBackLatest();
  }
}

// F6 goes to the latest message, as it goes from one part of a window to the next elsewhere.
function messagesByKey(event) {
  const latest = byId("toasts").lastElementChild;
  if (event.key !== "F6" || !latest || event.target.closest("dialog")) return;
  event.preventDefault();
  latest.querySelector("a, button").focus();
}

async function tokenFromPerson(wasWrong) {
  const given = await ask({
    title: "Writing needs a token",
    text: wasWrong ? "The token that was given is not one of this service." : "Whoever runs this service has it. It is kept until this tab is closed.",
    yes: "Go on",
    field: { label: "Token", type: "password" },
  });
  if (given) keepToken(given);
  return Boolean(given);
}

byId("main").replaceChildren(element("p", { class: "quiet" }, "Asking the service"));
main();
