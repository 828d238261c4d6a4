// Pictures given to a class: a known one, or one that is new.

import { call, formOf, parts, post } from "./api.js";

// Ways to add them, one for each part of the files; each asks the service and gives its event.
export function additions(classes, name, files) {
  const idIn = (known) => known.find((one) => one.name === name)?.id;
  let id = idIn(classes);
  const pieces = parts(files);
  return pieces.map((part, at) => async () => {
    if (id !== undefined) return call("POST", `/v1/classes/${id}/images`, { form: formOf(part) });
    const event = await call("POST", "/v1/classes", { form: formOf(part, { name }) });
    // While a new memory waits for its second class, the first has no number: more of it is sent by its name.
    if (at + 1 < pieces.length) id = idIn((await call("GET", "/v1/classes?exemplars=0")).classes);
    return event;
  });
}

// One picture that was asked about; where the memory knows it as something else, it is moved.
export async function correct(classes, name, file, content) {
  const [add] = additions(classes, name, [file]);
  const event = await add();
  if (event.event !== null) return event;
  try {
    return await post(`/v1/images/${content}/move`, { to: name });
  } catch (error) {
    if (error.status === 409) return event; // it is an example of that class already
    throw error;
  }
}
