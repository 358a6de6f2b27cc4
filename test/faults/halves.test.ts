import t from 'tap';
import { showCases } from './cases.js';
import {
  failsInPart,
  hasNoWayOut,
  isAwayBeyondDeadline,
  lacksTheKey,
  refusesOneTask,
} from './half-outages.js';

t.setTimeout(600_000);

await showCases(t, 'halves', {
  53: failsInPart,
  54: hasNoWayOut,
  55: refusesOneTask,
  56: lacksTheKey,
  57: isAwayBeyondDeadline,
});
