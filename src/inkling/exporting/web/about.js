// What manifest.json tells about the classifier, as rows of a name and a value.

export function aboutRows({ labels, manifest, threads }) {
  const { memory = {}, encoder = {} } = manifest;
  const rows = [
    ["Classes", labels.join(", ")],
    ["Memory version", memory.version],
    ["Encoder", encoder.name],
    ["Encoder fingerprint", encoder.fingerprint],
    ["Precision", manifest.precision],
    ["Exported", manifest.created],
    ["Inkling", manifest.inkling],
    ["Licence", manifest.license],
    ["Threads", threads],
  ];
  return rows.filter(([, value]) => value !== undefined && value !== null && value !== "").map(([name, value]) => [name, String(value)]);
}
