/** What can be seen of something that takes its time, on a terminal and elsewhere. */

import t from 'tap';
import { Progress } from '../../src/cli/progress.js';
import { Written } from './support.js';

t.test('elsewhere: one line for each change, and nothing in between', async (t) => {
  const output = new Written();
  const progress = new Progress(output, false);
  for (const text of ['queued', 'queued', 'pending'])
    progress.show({ name: 'av_1', text, live: () => '0:01' });
  progress.keep();
  progress.end();
  t.equal(output.text, 'av_1  queued\nav_1  pending\n');
});

t.test('a terminal: one line, drawn over, with a bar', async (t) => {
  let now = 0;
  const output = new Written(true);
  const progress = new Progress(output, true, () => now);
  const drawn = () => output.text.split('\r').at(-1);
  t.teardown(() => progress.end());

  progress.show({ name: 'av_1', text: 'pending', live: () => `${progress.elapsedMs}` });
  t.equal(drawn(), '[====                ]  pending  0␛[K', 'how far is not known: a mark');
  now = 500;
  progress.show({ name: 'av_1', text: 'pending' });
  t.equal(drawn(), '[  ====              ]  pending␛[K', 'it wanders');
  progress.show({ name: 'av_1', text: 'video', share: () => 0.5 });
  t.equal(drawn(), '[=========>          ]  video␛[K');
  progress.show({ name: 'av_1', text: 'video', share: () => 1.2 });
  t.equal(drawn(), '[====================]  video␛[K');
  progress.show({ name: 'av_1', text: 'x'.repeat(200) });
  t.equal(drawn()?.length, 79 + '␛[K'.length, 'it never takes a second line');
  t.notMatch(output.text, '\n');

  progress.show({ name: 'av_1', text: 'succeeded', live: () => '0:07' });
  progress.keep();
  t.equal(drawn(), 'av_1  succeeded  0:07␛[K\n', 'the last one stays');
  const before = output.text;
  progress.end();
  t.equal(output.text, before);
});

t.test('a terminal: it is drawn anew as time goes by, until it is taken away', async (t) => {
  const output = new Written(true);
  const progress = new Progress(output, true);
  let seen = 0;
  progress.show({ name: 'av_1', text: 'pending', live: () => `look ${++seen}` });
  await output.has(/look 2/);
  progress.end();
  t.match(output.text, /\r␛\[K$/);
});
