// The words of the pages in the language of whoever reads them: as app/web/words.py, for the browser.

export function gettext(text, values = {}) {
  return text.replace(/%\((\w+)\)s/g, (_match, name) => values[name]);
}

export const _ = gettext;
