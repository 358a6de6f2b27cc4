import { VIDEO } from './results.js';
import type { Settings } from './settings.js';
import type { Task, TaskStatus } from './tasks.js';
import { type Answer, success } from './wire.js';

/** A task as a query shows it. */
export function describeTask(
  task: Task,
  status: TaskStatus,
  url: string,
  expiresAt: number,
  { expiresAs, billing }: Pick<Settings, 'expiresAs' | 'billing'>,
): Answer {
  const data = { status, task_id: task.id, model_id: 'kling-avatar' };
  if (status === 'failed' || status === 'canceled') {
    return describeFailure(task, { ...data, ...(task.fate.billed === true && billOf(task, billing)) });
  }
  if (status !== 'success') return success(data);
  return success({
    ...data,
    duration: task.durationMs,
    result: {
      resources: [
        {
          url,
          type: 'video',
          width: VIDEO.width,
          height: VIDEO.height,
          format: 'mp4',
          role: 'primary',
          duration: VIDEO.seconds,
          size: VIDEO.bytes.length,
        },
      ],
      metadata: { request_id: task.id.replace('task-', 'req-') },
      extensions: { submit_time: new Date(task.submittedAt).toISOString() },
    },
    result_expires_at: expiresAs === 'ms' ? expiresAt : new Date(expiresAt).toISOString(),
    ...billOf(task, billing),
  });
}

function billOf({ cost }: Task, billing: Settings['billing']): object {
  if (billing === 'absent') return {};
  const amount = billing === 'amount' ? cost.toFixed(4) : `${cost} dollars`;
  return { billing: { status: 'succeeded', amount } };
}

function describeFailure(task: Task, data: object): Answer {
  const { end, reason = 'Generation failed: internal model error', place = 'error' } = task.fate;
  if (end === 'canceled' && task.fate.reason === undefined) return success(data);
  switch (place) {
    case 'error':
      return success({ ...data, error: reason });
    case 'error-object':
      return success({ ...data, error: { code: 'generation_failed', message: reason } });
    case 'message':
      return success({ ...data, message: reason });
    case 'envelope':
      return success(data, reason);
  }
}
