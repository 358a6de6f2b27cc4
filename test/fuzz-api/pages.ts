/** What is served and not in the document: the document itself, the pages around it, and nothing at all. */

import type { Described, Operation } from './document.js';
import { PROBLEM } from './judge.js';

const any: Described = { content: { '*/*': {} } };

function page(path: string, ...statuses: number[]): Operation {
  return {
    name: `GET ${path}`,
    method: 'GET',
    path,
    parameters: [],
    bodies: new Map(),
    responses: Object.fromEntries(
      [...statuses, 400, 404].map((status) => [status, status < 400 ? any : PROBLEM] as const),
    ),
  };
}

export const PAGES: readonly Operation[] = [
  page('/openapi.json', 200),
  page('/docs', 200, 302),
  page('/docs/static/index.css', 200, 206, 304, 416),
  page('/nowhere', 404),
];
