// What the list of tasks does beside showing: choosing, completing, views that are kept.

import "./tasks_choice.js";
import "./tasks_search.js";
import "./tasks_views.js";
