-- The id of the request that something goes back to, from the API to the last worker: a transaction on behalf of one says
-- so in analytics.request_id, the work it writes down keeps it, and whoever does that work says it again.
alter table analytics.backfill_outbox
  add column request_id text default nullif(current_setting('analytics.request_id', true), '');

create function analytics.note_request() returns trigger language plpgsql as $$
declare
  v_request text := nullif(current_setting('analytics.request_id', true), '');
begin
  if v_request is not null then
    new.detail := new.detail || jsonb_build_object('request_id', v_request);
  end if;
  return new;
end $$;
create trigger backfill_audit_log_note_request before insert on analytics.backfill_audit_log
  for each row execute function analytics.note_request();

-- A name for a token that is not part of it, to speak of it in commands and in the audit log.
alter table analytics.backfill_api_tokens add column token_id bigint generated always as identity unique;

create function analytics.record_token_removal() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(null, 'token_removed', to_jsonb(old) - 'token_sha256' - 'created_at');
  return null;
end $$;
create trigger backfill_api_tokens_record_removal after delete on analytics.backfill_api_tokens
  for each row execute function analytics.record_token_removal();
