// Numbers as the language writes them, and the words around them: see `{% counted %}`.

const language = document.documentElement.lang;
const written = new Intl.NumberFormat(language, { useGrouping: "always" });
const plural = new Intl.PluralRules(language);

/** Another number in a node, and around it the words for so many, if they differ. */
export function sayCount(node, n) {
  node.textContent = written.format(n);
  const around = node.parentElement, { one, other } = around.dataset;
  if (!other) return;
  const [before, after = ""] = (plural.select(n) === "one" ? one : other).split("{n}");
  around.replaceChildren(before, node, after);
}
