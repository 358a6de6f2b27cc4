-- The database of one gateway, DATA_DIR/avatars.db. Look in at any time, also while the gateway runs:
--
--   sqlite3 data/avatars.db 'select status, count(*) from avatars group by status'
--   sqlite3 data/avatars.db "select id, step, datetime(due / 1000, 'unixepoch') from avatars where status = 'pending'"
--
-- Write nothing by hand: every row ends with a checksum, and a row that does not fit its own is refused or quarantined.
-- Times are in ms since the epoch. A database whose tables differ from these is refused at the start.

-- One row for each avatar: where it stands, in columns, and the rest of it as a document.
create table avatars (
  seq integer primary key, -- the order in which they were admitted
  id text not null,
  caller text not null,
  status text not null,
  step text not null, -- what is done next: submit, poll, keep, deliver or expire
  mode text not null,
  version integer not null, -- grows with every claim and every save; a write names the one that it replaces
  saved integer not null, -- the version of its last save: what came since were claims
  due integer not null, -- when the next step is due
  due_key text, -- the key whose due index it stands in; null: the common one
  key_id text, -- the key that it was last submitted with: a digest
  attempt integer not null, -- how many submits were begun
  intent text, -- names the submit that was begun last
  created integer not null,
  external_id text,
  task_id text,
  idempotency text, -- digest of the caller and its idempotency key
  tag integer not null, -- its place in the queue, now or when it comes back to it; see submits.ts
  bytes integer not null, -- the size of its submission; 0 once that was dropped
  sum integer, -- CRC-32 of its submission; null once that was dropped
  file text, -- the file of DATA_DIR/media that has its submission; null: it is here
  slot_until integer, -- until when it holds a slot of its key; null: it holds none
  changed integer not null, -- the place of its last change among all changes
  cost_ms integer, -- what is counted for it in accounts; null: nothing
  cost_units integer, -- by the price
  cost_billed integer, -- what Modellix billed, which counts instead; null: it did not say
  doc blob not null, -- see record.ts
  crc integer not null, -- of all columns but seq and submission
  submission blob -- what will be submitted, until it is dropped; see sum
) strict;

-- By id, and whose it is, so that another's takes as long to find as one that is not there.
create unique index avatars_id on avatars (id, caller);
-- An idempotency key names one avatar, a task belongs to one.
create unique index avatars_idempotency on avatars (idempotency) where idempotency is not null;
create unique index avatars_task on avatars (task_id) where task_id is not null;
-- What is due, longest first, by key.
create index avatars_due on avatars (due_key, due);
-- The queue: first in order, and the last of each caller.
create index avatars_queue on avatars (tag, seq) where status = 'queued';
create index avatars_queue_caller on avatars (caller, tag) where status = 'queued';
-- Slots of a key that end by themselves; those that a write gives back are counted in memory.
create index avatars_slots on avatars (key_id, slot_until) where slot_until < 9007199254740991;
-- The files that are needed.
create index avatars_file on avatars (file) where file is not null;
-- Lists, of a caller and of everyone; with an external id, and without.
create index avatars_list on avatars (caller, status, created, id);
create index avatars_list_all on avatars (status, created, id);
create index avatars_external on avatars (caller, external_id, status, created, id) where external_id is not null;
create index avatars_external_all on avatars (external_id, status, created, id) where external_id is not null;
-- Feeds of changes, of a caller and of everyone.
create index avatars_feed on avatars (caller, changed);
create index avatars_feed_all on avatars (changed);

-- Every caller that ever had an avatar.
create table callers (
  name text primary key,
  served integer not null, -- the tag of its last avatar that was submitted
  changed integer not null, -- the place of its last change
  crc integer not null
) strict, without rowid;

-- What callers spent, by the day on which the avatars were admitted, in UTC. Units: see spend.ts.
create table accounts (
  caller text not null,
  day text not null,
  mode text not null,
  reserved_avatars integer not null,
  reserved_ms integer not null,
  reserved_units integer not null,
  settled_avatars integer not null,
  settled_ms integer not null,
  settled_units integer not null, -- what counts: as billed, or by the price
  settled_estimated integer not null, -- by the price
  settled_billed integer not null, -- as far as Modellix said what it billed
  crc integer not null,
  primary key (caller, day, mode)
) strict, without rowid;

-- The calls of each key to Modellix; see calls.ts.
create table keys (
  id text primary key,
  tat integer not null, -- theoretical arrival time, in 1/4096 ms
  submits_in_a_row integer not null, -- since the last poll, while polls waited
  crc integer not null
) strict, without rowid;

-- Small texts that are replaced as a whole.
create table documents (
  name text primary key,
  revision integer not null,
  value text not null,
  crc integer not null
) strict, without rowid;

-- One row: what counts over all of it.
create table state (
  one integer primary key check (one = 1),
  commits integer not null, -- transactions that wrote something
  place integer not null, -- of the last change: microseconds since the epoch, or one more than the last
  clock integer not null, -- the highest tag that was submitted
  crc integer not null
) strict;

-- Avatars whose rows were found damaged, as they were found. The oldest are forgotten.
create table quarantine (
  seq integer primary key,
  id text not null,
  caller text not null,
  idempotency text,
  found integer not null, -- when
  columns blob not null,
  doc blob not null
) strict;

create index quarantine_id on quarantine (id);
create index quarantine_idempotency on quarantine (idempotency) where idempotency is not null;
