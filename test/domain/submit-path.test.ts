/** Which form of the path submits go by, by what the answers to them said. */

import t from 'tap';
import { beginTry } from '../../src/domain/limits/breaker.js';
import {
  afterPath,
  dropPathTry,
  isHeld,
  NO_PATH_GONE,
  PATHS,
  pathChange,
  pathOf,
  type SubmitPaths,
} from '../../src/domain/limits/submit-path.js';

const NOW = 1_790_000_000_000;
const FORMS = ['/a', '/b', '/c'];
const BOTH = ['/a', '/b'];

const gone = (paths: SubmitPaths, path: string, forms = FORMS) =>
  afterPath(paths, path, 'no-route', forms, NOW, 1);
const there = (paths: SubmitPaths, path: string, forms = FORMS) =>
  afterPath(paths, path, 'ok', forms, NOW, 1);

/** Takes the try at its time, and has its path be gone as well. */
function triedInVain(paths: SubmitPaths, forms: readonly string[]): { paths: SubmitPaths; pauseMs: number } {
  const { tryAt } = paths.breaker;
  t.equal(beginTry(paths.breaker, PATHS, tryAt - 1), null, 'not sooner');
  const breaker = beginTry(paths.breaker, PATHS, tryAt) ?? paths.breaker;
  const trying = { ...paths, breaker };
  const after = afterPath(trying, pathOf(trying, forms), 'no-route', forms, tryAt, 1);
  return { paths: after, pauseMs: after.breaker.tryAt - tryAt };
}

t.test('the first form is used until it is gone, then the next that is not', async (t) => {
  t.equal(pathOf(NO_PATH_GONE, FORMS), '/a');
  const one = gone(NO_PATH_GONE, '/a');
  t.same(
    [pathOf(one, FORMS), isHeld(one, FORMS), pathChange(NO_PATH_GONE, one, FORMS)],
    ['/b', false, 'moved'],
  );
  t.equal(there(one, '/b'), one, 'that it works is no news');
  const two = gone(one, '/b');
  t.same([pathOf(two, FORMS), isHeld(two, FORMS)], ['/c', false]);
});

t.test('submits that were under way when others found out change nothing', async (t) => {
  const one = gone(NO_PATH_GONE, '/a');
  t.equal(gone(one, '/a'), one);
  t.equal(pathChange(one, one, FORMS), null);
  const held = gone(NO_PATH_GONE, '/a', ['/a']);
  t.ok(isHeld(held, ['/a']));
  t.equal(gone(held, '/a', ['/a']), held, 'nor do they put off the try');
  t.same(pathOf(there(one, '/a'), FORMS), '/a', 'but one that was accepted shows that it is there');
});

t.test('where none is left one is tried behind a growing pause, each form in its turn', async (t) => {
  let paths = FORMS.reduce((known, path) => gone(known, path), NO_PATH_GONE);
  t.ok(isHeld(paths, FORMS));
  t.equal(paths.breaker.tryAt - NOW, 2_000);
  const tried: string[] = [];
  const pausesMs: number[] = [];
  while (tried.length < 7) {
    tried.push(pathOf(paths, FORMS));
    const next = triedInVain(paths, FORMS);
    t.equal(pathChange(paths, next.paths, FORMS), 'held');
    pausesMs.push(next.pauseMs);
    paths = next.paths;
  }
  t.same(tried, ['/a', '/b', '/c', '/a', '/b', '/c', '/a']);
  t.same(pausesMs, [4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);

  const found = there(paths, pathOf(paths, FORMS));
  t.same(
    [pathOf(found, FORMS), isHeld(found, FORMS), pathChange(paths, found, FORMS)],
    ['/b', false, 'found'],
  );
  t.same(found.gone, ['/c', '/a'], 'the others are still known to be gone');
});

t.test('a try that said nothing of its path may be made again at once', async (t) => {
  const held = gone(NO_PATH_GONE, '/a', ['/a']);
  t.equal(dropPathTry(held, NOW), held);
  const at = held.breaker.tryAt;
  const trying = { ...held, breaker: beginTry(held.breaker, PATHS, at) ?? held.breaker };
  const after = afterPath(trying, '/a', 'rate-limited', ['/a'], at, 1);
  t.match(after, { gone: ['/a'], breaker: { trying: false, tryAt: at } });
  t.ok(isHeld(after, ['/a']));
  t.equal(pathChange(trying, after, ['/a']), null);
});

t.test('whoever is started with a form that is not gone is not held, and others stay so', async (t) => {
  const held = gone(NO_PATH_GONE, '/a', ['/a']);
  t.same([isHeld(held, BOTH), pathOf(held, BOTH)], [false, '/b']);
  t.equal(there(held, '/b', BOTH), held, 'its success says nothing of theirs');
  const both = gone({ ...held, breaker: { ...held.breaker, pauses: 5 } }, '/b', BOTH);
  t.same([isHeld(both, BOTH), both.breaker.pauses], [true, 1], 'its pauses begin anew');
});

t.test('what others were started with is not kept for ever', async (t) => {
  const names = Array.from({ length: 50 }, (_, at) => `/${at}`);
  const paths = names.reduce((known, path) => gone(known, path, names), NO_PATH_GONE);
  t.equal(paths.gone.length, 20);
  t.throws(() => pathOf(paths, []), TypeError);
});
