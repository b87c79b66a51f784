// What every page inside the frame does.

import "./browser_zone.js";
import "./connection.js";
import "./controls.js";
import "./keys.js";
import "./refresh.js";
import "./strip.js";
import "./ticking.js";
