// Long work of the service: begun, given pictures, followed to its end, and cancelled.

import { post, remove } from "./api.js";

// The job as it ended; `prepare` gives it what it works on. Whoever aborts has it cancelled.
export async function work(kind, { signal, prepare = async () => {}, ...options }) {
  const job = await post("/v1/jobs", { kind, ...options });
  try {
    await prepare(job);
    signal.throwIfAborted();
    await post(`/v1/jobs/${job.id}/start`);
    return await ended(job, signal);
  } catch (error) {
    remove(`/v1/jobs/${job.id}`).catch(() => {});
    throw error;
  }
}

// By the events that the service sends.
function ended(job, signal) {
  return new Promise((resolve, reject) => {
    const events = new EventSource(`/v1/jobs/${job.id}/events`);
    const take = (event) => {
      events.close();
      resolve(JSON.parse(event.data));
    };
    for (const name of ["done", "failed", "cancelled"]) events.addEventListener(name, take);
    events.onerror = () => {
      events.close();
      reject(new Error("The service ended while it was at work."));
    };
    signal.addEventListener("abort", () => {
      events.close();
      reject(new DOMException("Cancelled", "AbortError"));
    });
  });
}
