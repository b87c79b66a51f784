// What every page inside the frame does.

import "./controls.js";
import "./refresh.js";
import "./strip.js";
import "./ticking.js";
