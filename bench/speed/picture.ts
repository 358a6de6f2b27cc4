/** The ratios as a picture: a bar for each subject, as long as it is fast beside the one that it is compared with. */

import { middle, ratio } from './ratios.js';
import { type CaseResult, connectionsOf } from './report.js';

const WIDTH = 760;
const LEFT = 250;
const RIGHT = 150;
const BAR = 13;
const LINE = 17;
const GAP = 12;
const TITLE = 34;
const COLOURS = { gateway: '#1b6e53', other: '#9aa0a6' } as const;

export function picture(results: readonly CaseResult[], caption: string): string {
  let y = 40;
  const parts = results.map((result) => {
    const drawn = panel(result, y);
    y += drawn.height;
    return drawn.svg;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="11">
<title>${escaped(caption)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="22" font-size="14">${escaped(caption)}</text>
${parts.join('\n')}
</svg>
`;
}

interface Bar {
  readonly name: string;
  readonly isGateway: boolean;
  readonly ratio: number;
  readonly perSecond: number;
}

function panel({ kase, measured }: CaseResult, top: number): { svg: string; height: number } {
  const [to = ''] = kase.beside;
  const other = kase.subjects.find(({ id }) => id === to)?.name ?? to;
  const groups = connectionsOf(measured).map((connections) => ({
    connections,
    bars: kase.subjects.flatMap(({ id, name }): Bar[] => {
      const its = middle(measured, id, connections);
      const beside = ratio(measured, id, to, connections);
      if (its === null || beside === null || id === 'rig') return [];
      const isGateway = name.startsWith('gateway');
      return [{ name, isGateway, ratio: beside.median, perSecond: its.perSecond }];
    }),
  }));
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map((bar) => bar.ratio)));
  const x = (value: number): number => LEFT + (value / most) * (WIDTH - LEFT - RIGHT);
  let y = top + TITLE;
  const lines = groups.flatMap(({ connections, bars }) => {
    const first = y;
    const drawn = bars.map((bar) => {
      const at = y;
      y += LINE;
      return [
        `<text x="${LEFT - 8}" y="${at + 10}" text-anchor="end">${escaped(bar.name)}</text>`,
        `<rect x="${LEFT}" y="${at}" width="${(x(bar.ratio) - LEFT).toFixed(1)}" height="${BAR}" fill="${bar.isGateway ? COLOURS.gateway : COLOURS.other}"/>`,
        `<text x="${(x(bar.ratio) + 5).toFixed(1)}" y="${at + 10}">${bar.ratio.toFixed(2)} x, ${bar.perSecond.toFixed(0)}/s</text>`,
      ].join('');
    });
    y += GAP;
    return [`<text x="8" y="${first + 10}" font-weight="bold">${connections}</text>`, ...drawn];
  });
  const title = `<text x="8" y="${top + 16}" font-size="12" font-weight="bold">${escaped(kase.name)}</text>
<text x="8" y="${top + 29}" fill="#555">connections; answers a second, x those of ${escaped(other)}</text>`;
  const one = `<line x1="${x(1).toFixed(1)}" x2="${x(1).toFixed(1)}" y1="${top + TITLE - 2}" y2="${y - GAP}" stroke="#d93025" stroke-dasharray="3 3"/>`;
  return { svg: [title, ...lines, one].join('\n'), height: y - top + GAP };
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '`': '' };

/** For XML, and without the marks of Markdown. */
const escaped = (text: string): string => text.replace(/[&<>`]/g, (sign) => ESCAPES[sign] ?? sign);
