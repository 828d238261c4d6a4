// How many alike pictures a group needs: what the service was started with, unless somebody here chose another number.

const KEY = "inkling-group-size";
const SIZES = [2, 3, 4, 5, 6, 8, 10, 15, 20];

export function groupSize(state) {
  return Number(sessionStorage.getItem(KEY)) || (state?.group_size ?? 5);
}

export function keepGroupSize(size) {
  sessionStorage.setItem(KEY, size);
}

export function groupSizes(state) {
  return [...new Set([...SIZES, state?.group_size ?? 5, groupSize(state)])].sort((a, b) => a - b);
}
