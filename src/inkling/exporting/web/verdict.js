// A result as elements of the page.

import { bars, element, share } from "./common/elements.js";
import { headline } from "./common/words.js";
import { nearest, pValueInWords } from "./words.js";

export function describe(result) {
  const { probability, unknown } = result;
  const answer = element("p", { class: "answer" }, element("strong", {}, headline(result)));
  if (!unknown) answer.append(" ", share(probability));
  const parts = [answer];
  if (unknown) parts.push(element("p", { class: "nearest" }, nearest(result)));
  parts.push(bars(result.ranked));
  const evidence = pValueInWords(result);
  if (evidence) parts.push(element("p", { class: "quiet small" }, evidence));
  return parts;
}
