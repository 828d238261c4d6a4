// The service: requests, their problems, and pictures in parts that it takes.

const RETRIES = 30;
const TOKEN = "inkling-token";

export class Problem extends Error {
  constructor({ status, type = "", detail = "", remedy = "", title = "", skipped = [] }) {
    const [first] = skipped;
    const why = first && `${skipped.length > 1 ? "The first, " : ""}${first.path}: ${first.reason}.`;
    super([detail || title, why, remedy].filter(Boolean).join(" "));
    Object.assign(this, { status, detail, skipped, kind: type.split(":").at(-1) });
  }

  // Somebody else decided first.
  get isConflict() {
    return this.status === 409 || this.status === 404;
  }
}

let askForToken = async () => null;

export function onTokenNeeded(ask) {
  askForToken = ask;
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, json, options) => call("POST", path, { json, ...options });
export const patch = (path, json) => call("PATCH", path, { json });
export const remove = (path) => call("DELETE", path);

// `as`: what is made of the answer, such as "blob" for a file.
export async function call(method, path, { json, form, signal, as = "json", signed } = {}) {
  for (let trial = 0; ; trial += 1) {
    const response = await fetched(method, path, { json, form, signal, signed });
    if (response.status === 204) return null;
    if (response.ok) return response[as]();
    const problem = await problemOf(response);
    if (problem.status === 401 && method !== "GET") {
      if (await askForToken(Boolean(token()))) continue;
      throw new Problem({ status: 401, detail: "Nothing was changed: that needs a token.", remedy: "Whoever runs this service has it." });
    }
    const wait = Number(response.headers.get("Retry-After"));
    if (![429, 503].includes(problem.status) || !wait || trial >= RETRIES) throw problem;
    await pause(1000 * wait, signal);
  }
}

async function fetched(method, path, { json, form, signal, signed = method !== "GET" }) {
  const headers = {};
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (signed && token()) headers.Authorization = `Bearer ${token()}`;
  try {
    return await fetch(path, { method, headers, body: json === undefined ? form : JSON.stringify(json), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ status: 0, detail: "The service does not answer.", remedy: "Is it still running? Nothing was changed by this." });
  }
}

async function problemOf(response) {
  const told = await response.json().catch(() => ({}));
  return new Problem({ title: response.statusText, ...told, status: response.status });
}

export function token() {
  return sessionStorage.getItem(TOKEN) ?? "";
}

export function keepToken(text) {
  sessionStorage.setItem(TOKEN, text.trim());
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Cancelled", "AbortError"));
    });
  });
}

export function formOf(files, fields = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const file of files) form.append("images", file, file.name || "picture");
  return form;
}

const PART_FILES = 16;
const PART_BYTES = 16 * 2 ** 20;

// Files in parts, each small enough that its answer comes soon.
export function parts(files, { most = PART_FILES } = {}) {
  const found = [];
  let bytes = Infinity;
  for (const file of files) {
    if (bytes + file.size > PART_BYTES || found.at(-1).length >= most) {
      found.push([]);
      bytes = 0;
    }
    found.at(-1).push(file);
    bytes += file.size;
  }
  return found;
}

export async function predict(files, { top = 5, nearest = 0, signal } = {}) {
  return call("POST", "/v1/predict", { form: formOf(files, { top, names: 3, nearest }), signal });
}
