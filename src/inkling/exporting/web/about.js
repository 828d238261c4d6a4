// What manifest.json tells about the classifier, as rows of a name and a value.

export function aboutRows({ labels, manifest, threads }) {
  const { memory, encoder, head, unknown, versions, licences } = manifest;
  const rows = [
    ["Classes", labels.join(", ")],
    ["Memory", memory.name],
    ["Version of the memory", memory.version],
    ["Encoder", encoder.name],
    ["Fingerprint of the encoder", encoder.fingerprint],
    ["Head", head.name],
    ["Unknown pictures", unknown ? null : "are not detected: every picture gets one of the classes"],
    ["Arithmetic", `${manifest.precision}, ${threads === 1 ? "1 thread" : `${threads} threads`}`],
    ["Exported", `${manifest.created} by Inkling ${versions.inkling}`],
    ["Licence of the encoder", licences.encoder],
    ["Licence", licences.export],
  ];
  return rows.filter(([, value]) => value !== null).map(([name, value]) => [name, String(value)]);
}
