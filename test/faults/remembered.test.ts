import t from 'tap';
import { showCases } from './cases.js';
import { comesBackOlder, givesTurnsBack, hasWrongBytes, isDamaged, readsLittle } from './remembered.js';

t.setTimeout(600_000);

await showCases(t, 'remembered', {
  47: comesBackOlder,
  48: hasWrongBytes,
  51: isDamaged,
  52: readsLittle,
  59: givesTurnsBack,
});
