// A form that was refused came back as the answer to it: the browser would have to send it again to
// go back to this page or to load it anew. Its place in the history becomes that of the empty form.

import { at } from "./root.js";

const refused = document.querySelector("[data-refused]");
history.replaceState(null, "", at(refused.dataset.refused));
