// Says on the page what the outbox is waiting for.

/** Call the result whenever the outbox changes. */
export function troubleOn(outbox, words) {
  const find = (id) => document.getElementById(id);
  return () => {
    // a screen holds as many answers as faces
    const n = outbox.waiting.flatMap(({ fields }) => fields.shown ?? fields.region ?? 1).length;
    const kept = n ? (n === 1 ? words.kept : words.keptMany).replace("{n}", n) : "";
    find("net").hidden = outbox.trouble !== "offline";
    find("signed-out").hidden = outbox.trouble !== "signed-out";
    find("net-text").textContent = `${words.offline} ${kept}`;
    find("signed-out-text").textContent = kept;
  };
}

export function toast(text, undo = null, kind = "") {
  const detail = { text, kind, ...(undo && { undo }) };
  document.body.dispatchEvent(new CustomEvent("toast", { detail }));
}
