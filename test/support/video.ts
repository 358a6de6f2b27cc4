/** Avatars that have a video. */

import type { Test } from 'tap';
import type { RunningApp } from './app.js';
import { promised } from './openapi.js';
import { createAvatar, readAvatar } from './requests.js';
import { until } from './until.js';

/** Makes an avatar that has succeeded, and returns where its video is served. */
export async function succeeded({ url, simulator }: RunningApp): Promise<string> {
  const { id, task_id } = await createAvatar(url);
  simulator.settle(task_id ?? '', { end: 'success' });
  await until('success', async () => ((await readAvatar(url, id)).status === 'succeeded' ? id : null), {
    everyMs: 10,
  });
  return `${url}/avatars/${id}/video`;
}

export const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** Checks that an answer for a video is a problem, and returns it. */
export async function isVideoProblem(t: Test, response: Response, status: number, slug: string) {
  t.equal(response.status, status);
  const body = await promised(t, response, 'GET', '/avatars/{id}/video');
  t.match(body, { type: `urn:avatar-gateway:problem:${slug}` });
  return body as { detail: string };
}
