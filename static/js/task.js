// What the page of one task does beside keeping itself true.

import "./task_log.js";
import "./task_runs.js";
import "./task_stack.js";
import "./task_values.js";
