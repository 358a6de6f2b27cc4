// Made from openapi/openapi.json by `npm run openapi`. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What went wrong, as of RFC 9457. */
        Problem: {
            /** @description Stable name of the problem: `urn:avatar-gateway:problem:<slug>`. */
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @description What it happened to: the path of the request, or of the avatar. */
            instance: string;
            /** @description As in `X-Request-Id` and in the log. */
            request_id: string;
            /** @description Each field at fault. */
            errors?: {
                /** @description JSON pointer into the body (RFC 6901), or a query parameter. */
                pointer: string;
                detail: string;
            }[];
        };
        /** @description A talking avatar: what was asked for, how far it is, and what came of it. */
        Avatar: {
            id: string;
            /** @description The name of the caller whose it is. */
            caller: string;
            /**
             * @description `queued`: waits for its turn. `submitting`: on its way. `pending`, `processing`: at Modellix. Final: `succeeded`, `failed`, `timed_out` (Modellix never finished; can be resolved), `canceled` (before it was sent), `unconfirmed` (it is not known whether Modellix took it; never sent again by itself).
             * @enum {string}
             */
            status: "queued" | "submitting" | "pending" | "processing" | "succeeded" | "failed" | "timed_out" | "canceled" | "unconfirmed";
            /**
             * @description `pro` costs more and takes longer.
             * @enum {string}
             */
            mode: "std" | "pro";
            prompt: string | null;
            external_id: string | null;
            metadata: {
                [key: string]: string;
            };
            /** @description What was found in the image; `null` where the gateway did not see the bytes. */
            image: {
                /** @enum {string} */
                source: "inline" | "url";
                format: ("jpeg" | "png") | null;
                width: number | null;
                height: number | null;
                bytes: number | null;
            };
            /** @description What was found in the speech; `null` where the gateway did not see the bytes. */
            audio: {
                /** @enum {string} */
                source: "inline" | "url" | "audio_id";
                format: ("mp3" | "wav" | "m4a" | "aac") | null;
                duration_seconds: number | null;
                bytes: number | null;
            };
            video: {
                /** @description Where the gateway serves the bytes. */
                url: string;
                format: string | null;
                width: number | null;
                height: number | null;
                bytes: number | null;
                /** @description Whether the gateway has it itself, so that it is there as long as the avatar. */
                kept: boolean;
                /** @description When it is gone: when Modellix drops it, where it said so, or with the avatar. */
                expires_at: string | null;
            } | null;
            error: {
                /** @description The type of the problem, from the catalogue. */
                type: string;
                title: string;
                detail: string;
                /** @description What Modellix answered with, where it did. */
                upstream_status: number | null;
            } | null;
            /** @description What it is expected to cost, from the length of the speech, and what it did cost. */
            cost: {
                /** @enum {string} */
                currency: "USD";
                /** @description `null` where the length of the speech is not known. */
                estimate: number | null;
                /** @description What is held for it against your caps, while it is not known what it costs: the estimate, or that of the longest speech there may be. */
                reserved: number | null;
                /** @description What it cost, once it has `succeeded`; also where it has `failed`, and Modellix billed it all the same. */
                settled: number | null;
                /**
                 * @description `billed`: `settled` is what Modellix says it billed. `estimated`: all of it is by the price that is set here.
                 * @enum {string}
                 */
                basis: "estimated" | "billed";
            };
            /** @description Where it stands in the queue, while it is `queued`. */
            queue: {
                /** @description 1 is the next. The queue is fair between callers. */
                position: number;
                /** @description When it may be submitted, from how fast the queue drains; `null` where that is not known yet. */
                estimated_start_at: string | null;
            } | null;
            callback: {
                url: string;
                /**
                 * @description `waiting` for the end, or to be told, which is tried until it is `delivered`, or `given_up` after about a day.
                 * @enum {string}
                 */
                state: "waiting" | "delivered" | "given_up";
            } | null;
            /** @description Modellix's id of the task, once it was made. */
            task_id: string | null;
            /**
             * Format: date-time
             * @description When it was accepted.
             */
            created_at: string;
            /** @description When it has to be submitted by, or else ends as `canceled`. */
            start_by: string | null;
            /** @description When Modellix took it. */
            submitted_at: string | null;
            /** @description When it became final. */
            completed_at: string | null;
            /** @description When the record is forgotten; set once it is final. */
            expires_at: string | null;
            links: {
                self: string;
                events: string;
                video: string;
            };
        };
        /** @description A page of avatars, the newest first. */
        AvatarList: {
            data: components["schemas"]["Avatar"][];
            /** @description Leads to the next page; `null` on the last one. */
            next_cursor: string | null;
            has_more: boolean;
        };
        /** @description What was found, and what an avatar of it would cost. */
        Check: {
            /**
             * @description `pro` costs more and takes longer.
             * @enum {string}
             */
            mode: "std" | "pro";
            /** @description What was found in the image; `null` where the gateway did not see the bytes. */
            image: {
                /** @enum {string} */
                source: "inline" | "url";
                format: ("jpeg" | "png") | null;
                width: number | null;
                height: number | null;
                bytes: number | null;
            };
            /** @description What was found in the speech; `null` where the gateway did not see the bytes. */
            audio: {
                /** @enum {string} */
                source: "inline" | "url" | "audio_id";
                format: ("mp3" | "wav" | "m4a" | "aac") | null;
                duration_seconds: number | null;
                bytes: number | null;
            };
            /** @description What it is expected to cost, from the length of the speech, and what it did cost. */
            cost: {
                /** @enum {string} */
                currency: "USD";
                /** @description `null` where the length of the speech is not known. */
                estimate: number | null;
                /** @description What is held for it against your caps, while it is not known what it costs: the estimate, or that of the longest speech there may be. */
                reserved: number | null;
                /** @description What it cost, once it has `succeeded`; also where it has `failed`, and Modellix billed it all the same. */
                settled: number | null;
                /**
                 * @description `billed`: `settled` is what Modellix says it billed. `estimated`: all of it is by the price that is set here.
                 * @enum {string}
                 */
                basis: "estimated" | "billed";
            };
            /** @description What is off in the media and was forgiven, and whether it is put right before it is sent. Nothing has to be done. */
            warnings: {
                pointer: string;
                detail: string;
            }[];
        };
        /** @description How telling the receiver went. */
        Deliveries: {
            url: string;
            /**
             * @description `waiting` for the end, or to be told, which is tried until it is `delivered`, or `given_up` after about a day.
             * @enum {string}
             */
            state: "waiting" | "delivered" | "given_up";
            /** @description What `webhook-id` is each time this end is told; `null` before the end. */
            webhook_id: string | null;
            /** @description When it is tried next, at the earliest; `null` where it is not. */
            next_attempt_at: string | null;
            /** @description The last tries, at most 20, the first one first. */
            data: {
                attempt: number;
                /**
                 * Format: date-time
                 * @description When it began.
                 */
                at: string;
                /** @description What the receiver answered with, where it did. */
                status: number | null;
                /** @description Until the head of the answer was there, or there was none. */
                latency_ms: number;
                /** @description Why it does not count; `null` where it does. */
                error: string | null;
            }[];
        };
        /** @description What was spent: an account of the gateway, from what Modellix says it billed for each avatar, and from the prices that are set where it does not say. */
        Usage: {
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
            /** @enum {string} */
            currency: "USD";
            /** @description By caller, day and mode; what there is nothing of is left out. */
            data: {
                /**
                 * Format: date
                 * @description When the avatars were accepted, whenever they ended.
                 */
                date: string;
                caller: string;
                /** @enum {string} */
                mode: "std" | "pro";
                /** @description Held for avatars that are not final, `unconfirmed` or `timed_out`: what they may cost at most, from the length of the speech, or the greatest length there may be where it is not known. */
                reserved: {
                    avatars: number;
                    seconds: number;
                    usd: number;
                };
                /** @description What avatars cost that have `succeeded`, or were billed all the same. `usd` is as billed, and by the price where Modellix does not say. */
                settled: {
                    avatars: number;
                    seconds: number;
                    usd: number;
                    /** @description What they come to by the price that is set here. */
                    estimated_usd: number;
                    /** @description What Modellix says it billed, for those of which it does. */
                    billed_usd: number;
                };
            }[];
            total: {
                /** @description Held for avatars that are not final, `unconfirmed` or `timed_out`: what they may cost at most, from the length of the speech, or the greatest length there may be where it is not known. */
                reserved: {
                    avatars: number;
                    seconds: number;
                    usd: number;
                };
                /** @description What avatars cost that have `succeeded`, or were billed all the same. `usd` is as billed, and by the price where Modellix does not say. */
                settled: {
                    avatars: number;
                    seconds: number;
                    usd: number;
                    /** @description What they come to by the price that is set here. */
                    estimated_usd: number;
                    /** @description What Modellix says it billed, for those of which it does. */
                    billed_usd: number;
                };
            };
            /** @description Of today and of this month, whatever days were asked for. */
            caps: {
                /** @description `null`: there is none. */
                day: {
                    /** @description What may be spent. */
                    usd: number;
                    /** @description Reserved and settled. */
                    used_usd: number;
                    /** @description What is left; 0 where it is less. */
                    left_usd: number;
                    /**
                     * Format: date-time
                     * @description When the next period begins.
                     */
                    resets_at: string;
                } | null;
                /** @description `null`: there is none. */
                month: {
                    /** @description What may be spent. */
                    usd: number;
                    /** @description Reserved and settled. */
                    used_usd: number;
                    /** @description What is left; 0 where it is less. */
                    left_usd: number;
                    /**
                     * Format: date-time
                     * @description When the next period begins.
                     */
                    resets_at: string;
                } | null;
            };
        };
        /** @description How an avatar ended. */
        CallbackMessage: {
            /**
             * @description `avatar.` and the status.
             * @enum {string}
             */
            type: "avatar.succeeded" | "avatar.failed" | "avatar.timed_out" | "avatar.canceled" | "avatar.unconfirmed";
            /**
             * Format: date-time
             * @description When the avatar became final.
             */
            timestamp: string;
            /**
             * @description The message would have had 20 kB or more: `metadata`, and if need be `prompt`, is `null`.
             * @enum {boolean}
             */
            truncated?: true;
            data: components["schemas"]["Avatar"] | {
                id: string;
                /** @description The name of the caller whose it is. */
                caller: string;
                /**
                 * @description `queued`: waits for its turn. `submitting`: on its way. `pending`, `processing`: at Modellix. Final: `succeeded`, `failed`, `timed_out` (Modellix never finished; can be resolved), `canceled` (before it was sent), `unconfirmed` (it is not known whether Modellix took it; never sent again by itself).
                 * @enum {string}
                 */
                status: "queued" | "submitting" | "pending" | "processing" | "succeeded" | "failed" | "timed_out" | "canceled" | "unconfirmed";
                /**
                 * @description `pro` costs more and takes longer.
                 * @enum {string}
                 */
                mode: "std" | "pro";
                prompt: string | null;
                external_id: string | null;
                metadata: null;
                /** @description What was found in the image; `null` where the gateway did not see the bytes. */
                image: {
                    /** @enum {string} */
                    source: "inline" | "url";
                    format: ("jpeg" | "png") | null;
                    width: number | null;
                    height: number | null;
                    bytes: number | null;
                };
                /** @description What was found in the speech; `null` where the gateway did not see the bytes. */
                audio: {
                    /** @enum {string} */
                    source: "inline" | "url" | "audio_id";
                    format: ("mp3" | "wav" | "m4a" | "aac") | null;
                    duration_seconds: number | null;
                    bytes: number | null;
                };
                video: {
                    /** @description Where the gateway serves the bytes. */
                    url: string;
                    format: string | null;
                    width: number | null;
                    height: number | null;
                    bytes: number | null;
                    /** @description Whether the gateway has it itself, so that it is there as long as the avatar. */
                    kept: boolean;
                    /** @description When it is gone: when Modellix drops it, where it said so, or with the avatar. */
                    expires_at: string | null;
                } | null;
                error: {
                    /** @description The type of the problem, from the catalogue. */
                    type: string;
                    title: string;
                    detail: string;
                    /** @description What Modellix answered with, where it did. */
                    upstream_status: number | null;
                } | null;
                /** @description What it is expected to cost, from the length of the speech, and what it did cost. */
                cost: {
                    /** @enum {string} */
                    currency: "USD";
                    /** @description `null` where the length of the speech is not known. */
                    estimate: number | null;
                    /** @description What is held for it against your caps, while it is not known what it costs: the estimate, or that of the longest speech there may be. */
                    reserved: number | null;
                    /** @description What it cost, once it has `succeeded`; also where it has `failed`, and Modellix billed it all the same. */
                    settled: number | null;
                    /**
                     * @description `billed`: `settled` is what Modellix says it billed. `estimated`: all of it is by the price that is set here.
                     * @enum {string}
                     */
                    basis: "estimated" | "billed";
                };
                /** @description Where it stands in the queue, while it is `queued`. */
                queue: {
                    /** @description 1 is the next. The queue is fair between callers. */
                    position: number;
                    /** @description When it may be submitted, from how fast the queue drains; `null` where that is not known yet. */
                    estimated_start_at: string | null;
                } | null;
                callback: {
                    url: string;
                    /**
                     * @description `waiting` for the end, or to be told, which is tried until it is `delivered`, or `given_up` after about a day.
                     * @enum {string}
                     */
                    state: "waiting" | "delivered" | "given_up";
                } | null;
                /** @description Modellix's id of the task, once it was made. */
                task_id: string | null;
                /**
                 * Format: date-time
                 * @description When it was accepted.
                 */
                created_at: string;
                /** @description When it has to be submitted by, or else ends as `canceled`. */
                start_by: string | null;
                /** @description When Modellix took it. */
                submitted_at: string | null;
                /** @description When it became final. */
                completed_at: string | null;
                /** @description When the record is forgotten; set once it is final. */
                expires_at: string | null;
                links: {
                    self: string;
                    events: string;
                    video: string;
                };
            };
        };
        /**
         * CreateAvatar
         * @description A portrait and speech. Exactly one of `sound_file` and `audio_id`.
         */
        CreateAvatar: {
            /** @description The portrait: an http(s) URL, bare base64, or a `data:` URI. JPEG or PNG, at most 10 MB, both sides at least 300 px, aspect ratio from 1:2.5 to 2.5:1. */
            image: string;
            /** @description The speech: an http(s) URL, bare base64, or a `data:` URI. mp3, wav, m4a or aac, at most 5 MB, 2 to 300 s. Give either this or `audio_id`. */
            sound_file?: string;
            /**
             * Format: text
             * @description Id of speech made with Modellix's TTS in the last 30 days. Give either this or `sound_file`.
             */
            audio_id?: string;
            /**
             * Format: text
             * @description Actions, emotions, camera; 1 to 2500 characters.
             */
            prompt?: string;
            /**
             * @description `pro` costs more and takes longer.
             * @default std
             * @enum {string}
             */
            mode?: "std" | "pro";
            /**
             * Format: text
             * @description Your own name for it; not interpreted.
             */
            external_id?: string;
            /** @description Where the gateway POSTs the avatar once it has ended: an http(s) URL on the public internet, without user info, at most 8192 characters. The message is signed; see docs/callbacks.md. */
            callback_url?: string;
            /** @description How long it may wait to be submitted to Modellix. What was not submitted by then ends as `canceled`, with the problem `not-started-in-time`, and costs nothing. Without it, as long as the queue lets it. */
            start_within_seconds?: number;
            /** @description Your own notes: at most 50 names of at most 40 characters, values of at most 500. */
            metadata?: {
                [key: string]: string;
            };
        };
        /**
         * Resolution
         * @description Either the task that was found, or that none was made.
         */
        Resolution: {
            /** @description The task's id in the Modellix console. */
            task_id?: string;
            /**
             * @description There is no such task: nothing was made.
             * @enum {boolean}
             */
            made?: false;
        };
        ListQuery: {
            /** @description Only avatars with this status, or with one of several, separated by commas. */
            status?: ("queued" | "submitting" | "pending" | "processing" | "succeeded" | "failed" | "timed_out" | "canceled" | "unconfirmed")[];
            /**
             * Format: text
             * @description Only avatars with this name of yours.
             */
            external_id?: string;
            /**
             * Format: date-time
             * @description Only avatars made later.
             */
            created_after?: string;
            /**
             * Format: date-time
             * @description Only avatars made earlier.
             */
            created_before?: string;
            /**
             * @description How many avatars a page has at most.
             * @default 20
             */
            limit?: number;
            /**
             * Format: text
             * @description For admins: only what is of the caller with this name.
             */
            caller?: string;
            /** @description `next_cursor` of the page before. The filters have to be the same. */
            cursor?: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type Problem = components['schemas']['Problem'];
export type Avatar = components['schemas']['Avatar'];
export type AvatarList = components['schemas']['AvatarList'];
export type Check = components['schemas']['Check'];
export type Deliveries = components['schemas']['Deliveries'];
export type Usage = components['schemas']['Usage'];
export type CallbackMessage = components['schemas']['CallbackMessage'];
export type CreateAvatar = components['schemas']['CreateAvatar'];
export type Resolution = components['schemas']['Resolution'];
export type ListQuery = components['schemas']['ListQuery'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
