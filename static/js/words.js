// The words of the pages in the language of whoever reads them: as app/pooldeck_server/web/text/i18n.py, for the
// browser. The page loads the catalogue of its language before any module runs.

const catalogue = globalThis.pooldeckWords ?? {};
const grouped = new Intl.NumberFormat("en");

function filled(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_match, name) => values[name]);
}

export function gettext(text, values = {}) {
  return filled(catalogue[text]?.[0] ?? text, values);
}

// Languages with more than two forms are not among those there are.
export function ngettext(one, many, n, values = {}) {
  const forms = catalogue[one] ?? [one, many];
  return filled(forms[Math.min(n === 1 ? 0 : 1, forms.length - 1)], { num: grouped.format(n), ...values });
}

export const _ = gettext;
