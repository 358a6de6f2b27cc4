/** What does not compile. `npm run typecheck` fails where one of these lines would. */

import t from 'tap';
import type { Avatar, AvatarEvent, AvatarGatewayClient, WebhookEvent } from '../../src/client/index.js';

const file = new Blob([]);
const image = 'https://example.com/face.jpg';

export const refused = {
  requests(client: AvatarGatewayClient) {
    client.create({ image, audio_id: 'a', prompt: 'She nods.', metadata: { a: 'b' } });
    client.create({ image: file, sound_file: file });
    // @ts-expect-error: there is no speech
    client.create({ image });
    // @ts-expect-error: speech twice
    client.create({ image, audio_id: 'a', sound_file: file });
    // @ts-expect-error: no such mode
    client.create({ image, audio_id: 'a', mode: 'slow' });
    // @ts-expect-error: no such field
    client.create({ image, audio_id: 'a', promt: 'She nods.' });
    // @ts-expect-error: values are texts
    client.create({ image, audio_id: 'a', metadata: { a: 1 } });
    // @ts-expect-error: the finding is one of two
    client.resolve('av_1', { made: true });
    // @ts-expect-error: no such status
    client.list({ status: 'done' });
    // @ts-expect-error: a list has no cursor of its own
    client.list({ cursor: 'a' });
  },
  answers(avatar: Avatar, event: AvatarEvent, webhook: WebhookEvent) {
    // @ts-expect-error: there may be none
    avatar.video.url;
    // @ts-expect-error: no such status
    void (avatar.status === 'done');
    // @ts-expect-error: only an event of that type has it
    event.avatar;
    if (event.type === 'avatar') event.avatar.video?.url;
    // @ts-expect-error: only ends are told
    void (webhook.type === 'avatar.queued');
    // @ts-expect-error: it may have been left out
    webhook.data.metadata.a;
  },
};

t.ok(refused);
