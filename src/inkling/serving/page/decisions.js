// Decisions: asked of the service, told in a message, and taken back from there.

import { get, post } from "./api.js";
import { undoneBy } from "./said.js";
import { clearToasts, toast } from "./toast.js";

export const CHANGED = "memory-changed";

export function tellChanged() {
  document.dispatchEvent(new CustomEvent(CHANGED));
}

export function complain(error) {
  if (error.name === "AbortError") return;
  toast(error.message, { problem: true });
}

// The events of one or several requests, which one Undo takes back; null where the service refused.
export async function decide(text, ...requests) {
  const events = [];
  let refused = null;
  for (const request of requests) {
    try {
      events.push(await request());
    } catch (error) {
      refused = error;
      break;
    }
  }
  const made = events.filter((one) => one.event !== null && one.event !== undefined);
  if (refused) complain(refused.isConflict ? new Error(`${refused.message} What is shown now is the latest.`) : refused);
  const back = made.filter((one) => one.verb !== "fit").map((one) => one.event); // a first fit stays
  if (made.length) toast(said(text, made), { undo: back.length ? () => takeBack(back) : null });
  else if (events.some((one) => one.begun)) toast(said(text, events), { undo: takeBackLatest }); // before there is a memory
  else if (!refused) toast("Nothing new: the memory has it already.");
  tellChanged();
  return refused ? null : events;
}

const said = (text, events) => (typeof text === "function" ? text(events) : text);

// Several events are taken back latest first; it ends where somebody else has decided since.
export async function takeBack(events) {
  clearToasts();
  let done = 0;
  try {
    for (const event of [...events].sort((a, b) => b - a)) {
      await post("/v1/undo", { event });
      done += 1;
    }
  } catch (error) {
    complain(error);
  }
  if (done) toast(done === 1 ? "Taken back." : `${done} decisions were taken back.`);
  tellChanged();
}

export async function takeBackLatest() {
  clearToasts();
  try {
    const event = await post("/v1/undo");
    const told = event.event === null ? `Taken back: the latest change of the class “${event.outcome.class}”.` : await saidOfUndo(event);
    toast(told);
  } catch (error) {
    complain(error);
  }
  tellChanged();
}

// The log knows more of what was taken back than the answer to Undo does, such as names of files.
async function saidOfUndo(event) {
  const { events } = await history().catch(() => ({ events: [] }));
  return `Taken back: ${undoneBy(event, events)}.`;
}

export async function history(last = 500) {
  return get(`/v1/history?last=${last}`);
}

const NOT_DECIDED = ["observe", "discover", "undo", "fit", "upgrade"];

// The decisions that can be taken back one after the other, latest first.
export function undoable(events) {
  const undone = new Set(events.map((one) => one.undoes));
  return events.filter((one) => !NOT_DECIDED.includes(one.verb) && !undone.has(one.event)).reverse();
}
