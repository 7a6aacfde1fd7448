-- What the second reading of a mirrored file found, so that it can be made beside the import, and need not be made again
-- while neither the file nor the plan changes. A row without a result is a claim: its holder reads the file now.
create table analytics.backfill_recounts (
  batch_id text not null,
  file_no integer not null,
  claimed_by uuid not null,
  -- The batch's when the claim was made: one of before a halt holds nobody back.
  epoch integer not null,
  -- The holder's last sign of life; after 10 s without one, another may take the file over.
  heartbeat_at timestamptz not null,
  -- As it was sealed, byte for byte.
  result text,
  -- HMAC of the result with the key of the audit log, which is not in the database.
  seal text,
  primary key (batch_id, file_no),
  foreign key (batch_id, file_no) references analytics.backfill_files (batch_id, file_no) on delete cascade,
  check ((result is null) = (seal is null))
);
