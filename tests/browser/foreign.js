// Which Latin words stand on a page that is written in another script, beside what is data: what the
// page marks as such (code, another language, not to be translated), and the names that are given.
// Evaluated in a page: `({ names, terms, data }) => [complaints]`: names and terms stay as they are, `data` is where others speak.

({ names, terms, data }) => {
  const DATA = "code, pre, kbd, samp, script, style, template, textarea, [translate='no'], .data, .message, .source, [lang]:not(html)";
  const known = [...names]
    .sort((one, other) => other.length - one.length)
    .map((name) => new RegExp(`(?<![A-Za-z])${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![A-Za-z])`, "g"));
  const taken = new Set(terms);
  const IDENTIFIERS = /\bhttps?:\S+|\b[\w-]*\d[\w-]*\b|\b\w+(?:[._/=@-]\w+)+\b|<[^>]*>|\b_\w+|\b[a-z]+[A-Z]\w*|\b[A-Z]+_\w*|\b[A-Z]+[a-z]+[A-Z]\w*/g;
  const complaints = new Set();
  const look = (element, text, place, before = "") => {
    if (element.closest(DATA) || element.closest(data)) return;
    let rest = text;
    for (const name of known) rest = rest.replace(name, " ");
    const words = rest.replace(IDENTIFIERS, " ").match(/[A-Za-z][A-Za-z']+/g) ?? [];
    const foreign = words.filter((word) => !taken.has(word));
    const halved = `${before}${rest}`.match(/[\u4e00-\u9fff）][.,:;!?](?=\s|$|[\u4e00-\u9fff])/g);
    if (foreign.length || halved) complaints.add(`${place}: ${text.trim().replace(/\s+/g, " ").slice(0, 110)}`);
  };
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    look(node.parentElement, node.data, `${node.parentElement.localName}.${node.parentElement.className.baseVal ?? node.parentElement.className}`, node.previousSibling?.textContent.trim().at(-1));
  for (const attribute of ["title", "aria-label", "placeholder", "alt"])
    for (const element of document.querySelectorAll(`[${attribute}]`)) look(element, element.getAttribute(attribute), attribute);
  return [...complaints];
};
