/** What failures say where Kling's words come through (contract, "Account"), by the problem that an avatar ends with. */
export const FAILURE_WORDS = {
  'content-refused': [
    'Kling error 1301: the content triggers the content security policy',
    'Task failed: 1300 - trigger strategy of the platform',
    'Failure to pass the risk control system',
    'The image appears to violate the community guidelines',
  ],
  arrears: [
    'Kling error code 1101: account in arrears',
    '[1102] Resource pack depleted or expired',
    'Generation failed: insufficient balance',
  ],
  'parallel-limit': ['code=1303, parallel task over resource pack limit', 'Concurrent limit exceeded'],
  'task-failed': [
    'Generation failed: internal model error',
    'Generation failed: no face was found',
    'Value out of range: the width is 1301 px',
    'Upstream answered 1102 times',
  ],
} as const;
