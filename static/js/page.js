// What every page inside the frame does.

import "./browser_zone.js";
import "./connection.js";
import "./controls.js";
import "./keys.js";
import "./notices.js";
import "./refresh.js";
import "./returning.js";
import "./strip.js";
import "./ticking.js";
