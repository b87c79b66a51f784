// What the list of tasks does beside showing: choosing, completing, keeping rows in their places, views that are kept.

import "./tasks_choice.js";
import "./tasks_search.js";
import "./tasks_steady.js";
import "./tasks_views.js";
