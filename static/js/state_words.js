// The words for states, of tasks and of pools, workers and slots: as app/pooldeck_server/web/text/states.py.

import { _ } from "./words.js";

const words = {
  scheduled: _("scheduled"),
  queued: _("queued"),
  running: _("running"),
  succeeded: _("succeeded"),
  failed: _("failed"),
  cancelled: _("cancelled"),
  lost: _("lost"),
  idle: _("idle"),
  busy: _("busy"),
  asked: _("asked to end"),
  abandoned: _("abandoned"),
  spare: _("spare"),
  starting: _("starting"),
  stopping: _("stopping"),
  dead: _("dead"),
  crashed: _("crashed"),
  paused: _("paused"),
  draining: _("draining"),
  stopped: _("stopped"),
  broken: _("broken"),
  ready: _("ready"),
  attached: _("attached"),
  no_contact: _("no contact"),
  gone: _("gone"),
  refused: _("refused"),
};

export function stateWord(state) {
  return words[state] ?? state;
}
