-- Views over the tables that `intercom-extract extract --sink postgresql://...` fills, with the
-- names and columns that the public dbt package dbt_intercom (1.6) reads. See docs/dbt.md.
--
--   psql -f dbt_intercom.sql [-v schema=intercom] [-v views=intercom_dbt] CONNECTION
--
-- Can be run again at any time, also after dbt made its own views on these: they are replaced, not
-- dropped. So a later version of a view may only add columns, and at its end.
--
-- There are no older versions of a record here: each row is the active one (_fivetran_active), it
-- began when Intercom says that the record changed last, and it ends when Fivetran says "never".

\set ON_ERROR_STOP on
\if :{?schema} \else \set schema intercom
\endif
\if :{?views} \else \set views intercom_dbt
\endif

BEGIN;
-- Two at once would both create what is missing.
SELECT pg_advisory_xact_lock(hashtext(:'views')) \g /dev/null
SET LOCAL client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS :"views";

-- The rows tell no time of their own: it is the last commit of the run that fills their table.
CREATE OR REPLACE VIEW :"views"._synced AS
SELECT t.table_name, s.updated_at AS synced
FROM :"schema"._intercom_tables t
JOIN :"schema"._intercom_state s ON s.id = t.sink_id;
COMMENT ON VIEW :"views"._synced IS
  'From _intercom_tables and _intercom_state: when rows of a table were last committed';

CREATE OR REPLACE VIEW :"views".admin AS
SELECT
  a.id,
  a.name,
  NULL::text AS job_title,
  false AS _fivetran_deleted,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'admins') AS _fivetran_synced
FROM :"schema".admins a
WHERE a.type = 'admin';
COMMENT ON VIEW :"views".admin IS 'From admins';
COMMENT ON COLUMN :"views".admin.job_title IS 'Always null: admins has no job titles';

CREATE OR REPLACE VIEW :"views".team AS
SELECT
  a.id,
  a.name,
  false AS _fivetran_deleted,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'admins') AS _fivetran_synced
FROM :"schema".admins a
WHERE a.type = 'team';
COMMENT ON VIEW :"views".team IS 'From admins, which has the teams, too';

CREATE OR REPLACE VIEW :"views".tag AS
SELECT
  t.id,
  t.name,
  false AS _fivetran_deleted,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'tags') AS _fivetran_synced
FROM :"schema".tags t;
COMMENT ON VIEW :"views".tag IS 'From tags';

CREATE OR REPLACE VIEW :"views".company_history AS
SELECT
  c.id,
  c.company_id,
  c.name,
  c.website,
  c.industry,
  c.created_at,
  c.updated_at,
  c.user_count,
  c.session_count,
  c.monthly_spend,
  NULL::text AS plan_id,
  c.plan AS plan_name,
  true AS _fivetran_active,
  c.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'companies') AS _fivetran_synced,
  c.custom_attributes
FROM :"schema".companies c;
COMMENT ON VIEW :"views".company_history IS 'From companies';
COMMENT ON COLUMN :"views".company_history.plan_id IS
  'Always null: companies has the name of the plan only';

-- A lead that became a user keeps its id, and its old row in leads until a run finds it gone: in
-- all views the user counts.
CREATE OR REPLACE VIEW :"views".contact_history AS
SELECT
  u.id,
  'user' AS role,
  u.owner_id AS admin_id,
  u.name,
  u.email,
  u.created_at,
  u.updated_at,
  u.signed_up_at,
  NULL::timestamptz AS last_contacted_at,
  NULL::timestamptz AS last_email_clicked_at,
  NULL::timestamptz AS last_email_opened_at,
  NULL::timestamptz AS last_replied_at,
  u.unsubscribed_from_emails,
  true AS _fivetran_active,
  u.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'users') AS _fivetran_synced,
  u.custom_attributes
FROM :"schema".users u
UNION ALL
SELECT
  l.id,
  'lead',
  l.owner_id,
  l.name,
  l.email,
  l.created_at,
  l.updated_at,
  l.signed_up_at,
  NULL,
  NULL,
  NULL,
  NULL,
  l.unsubscribed_from_emails,
  true,
  l.updated_at,
  '9999-12-31 23:59:59.999+00',
  (SELECT synced FROM :"views"._synced WHERE table_name = 'leads'),
  l.custom_attributes
FROM :"schema".leads l
WHERE NOT EXISTS (SELECT FROM :"schema".users u WHERE u.id = l.id);
COMMENT ON VIEW :"views".contact_history IS 'From users and leads';
COMMENT ON COLUMN :"views".contact_history.last_contacted_at IS
  'Always null: users and leads have no such time';
COMMENT ON COLUMN :"views".contact_history.last_email_clicked_at IS
  'Always null: users and leads have no such time';
COMMENT ON COLUMN :"views".contact_history.last_email_opened_at IS
  'Always null: users and leads have no such time';
COMMENT ON COLUMN :"views".contact_history.last_replied_at IS
  'Always null: users and leads have no such time';

CREATE OR REPLACE VIEW :"views".contact_tag_history AS
SELECT
  t.users_pk AS contact_id,
  u.updated_at AS contact_updated_at,
  t.id AS tag_id,
  true AS _fivetran_active,
  u.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'users_tags') AS _fivetran_synced
FROM :"schema".users_tags t
LEFT JOIN :"schema".users u ON u.id = t.users_pk
UNION ALL
SELECT
  t.leads_pk,
  l.updated_at,
  t.id,
  true,
  l.updated_at,
  '9999-12-31 23:59:59.999+00',
  (SELECT synced FROM :"views"._synced WHERE table_name = 'leads_tags')
FROM :"schema".leads_tags t
LEFT JOIN :"schema".leads l ON l.id = t.leads_pk
WHERE NOT EXISTS (SELECT FROM :"schema".users u WHERE u.id = t.leads_pk);
COMMENT ON VIEW :"views".contact_tag_history IS
  'From users_tags and leads_tags; the time from users and leads';

CREATE OR REPLACE VIEW :"views".contact_company_history AS
SELECT
  c.users_pk AS contact_id,
  u.updated_at AS contact_updated_at,
  c.id AS company_id,
  true AS _fivetran_active,
  u.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'users_companies') AS _fivetran_synced
FROM :"schema".users_companies c
LEFT JOIN :"schema".users u ON u.id = c.users_pk
UNION ALL
SELECT
  c.leads_pk,
  l.updated_at,
  c.id,
  true,
  l.updated_at,
  '9999-12-31 23:59:59.999+00',
  (SELECT synced FROM :"views"._synced WHERE table_name = 'leads_companies')
FROM :"schema".leads_companies c
LEFT JOIN :"schema".leads l ON l.id = c.leads_pk
WHERE NOT EXISTS (SELECT FROM :"schema".users u WHERE u.id = c.leads_pk);
COMMENT ON VIEW :"views".contact_company_history IS
  'From users_companies and leads_companies; the time from users and leads';

-- dbt_intercom wants null, not "nobody_admin", where nobody is assigned.
CREATE OR REPLACE VIEW :"views".conversation_history AS
SELECT
  c.id,
  c.created_at,
  c.updated_at,
  c.assignee_id,
  NULLIF(c.assignee_type, 'nobody_admin') AS assignee_type,
  NULL::text AS conversation_rating_remark,
  NULL::bigint AS conversation_rating_value,
  NULL::timestamptz AS first_contact_reply_created_at,
  NULL::text AS first_contact_reply_type,
  c.read,
  NULL::text AS sla_name,
  NULL::text AS sla_status,
  c.snoozed_until,
  c.conversation_message_author_id AS source_author_id,
  c.conversation_message_author_type AS source_author_type,
  c.conversation_message_body AS source_body,
  NULL::text AS source_delivered_as,
  c.conversation_message_subject AS source_subject,
  c.source_type,
  c.state,
  c.waiting_since,
  true AS _fivetran_active,
  c.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'conversations') AS _fivetran_synced
FROM :"schema".conversations c;
COMMENT ON VIEW :"views".conversation_history IS 'From conversations';
COMMENT ON COLUMN :"views".conversation_history.conversation_rating_remark IS
  'Always null: conversations has no ratings';
COMMENT ON COLUMN :"views".conversation_history.conversation_rating_value IS
  'Always null: conversations has no ratings';
COMMENT ON COLUMN :"views".conversation_history.first_contact_reply_created_at IS
  'Always null: conversations has no first reply; conversation_part_history has the replies';
COMMENT ON COLUMN :"views".conversation_history.first_contact_reply_type IS
  'Always null: conversations has no first reply; conversation_part_history has the replies';
COMMENT ON COLUMN :"views".conversation_history.sla_name IS
  'Always null: conversations has no SLA';
COMMENT ON COLUMN :"views".conversation_history.sla_status IS
  'Always null: conversations has no SLA';
COMMENT ON COLUMN :"views".conversation_history.source_delivered_as IS
  'Always null: conversations has the channel (source_type), not how it was delivered';

CREATE OR REPLACE VIEW :"views".conversation_part_history AS
SELECT
  p.id,
  p.conversations_pk AS conversation_id,
  c.updated_at AS conversation_updated_at,
  p.part_type,
  p.body,
  p.author_id,
  p.author_type,
  p.assigned_to_id,
  p.assigned_to_type,
  p.created_at,
  p.updated_at,
  true AS _fivetran_active,
  p.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'conversation_parts') AS _fivetran_synced
FROM :"schema".conversation_parts p
LEFT JOIN :"schema".conversations c ON c.id = p.conversations_pk;
COMMENT ON VIEW :"views".conversation_part_history IS
  'From conversation_parts; conversation_updated_at from conversations';

CREATE OR REPLACE VIEW :"views".conversation_tag_history AS
SELECT
  t.conversations_pk AS conversation_id,
  c.updated_at AS conversation_updated_at,
  t.id AS tag_id,
  true AS _fivetran_active,
  c.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'conversations_tags') AS _fivetran_synced
FROM :"schema".conversations_tags t
LEFT JOIN :"schema".conversations c ON c.id = t.conversations_pk;
COMMENT ON VIEW :"views".conversation_tag_history IS
  'From conversations_tags; the time from conversations';

CREATE OR REPLACE VIEW :"views".conversation_contact_history AS
SELECT
  k.conversations_pk AS conversation_id,
  c.updated_at AS conversation_updated_at,
  k.id AS contact_id,
  true AS _fivetran_active,
  c.updated_at AS _fivetran_start,
  '9999-12-31 23:59:59.999+00'::timestamptz AS _fivetran_end,
  (SELECT synced FROM :"views"._synced WHERE table_name = 'conversations_customers')
    AS _fivetran_synced
FROM :"schema".conversations_customers k
LEFT JOIN :"schema".conversations c ON c.id = k.conversations_pk;
COMMENT ON VIEW :"views".conversation_contact_history IS
  'From conversations_customers; the time from conversations';

-- What no table has. These exist, so that dbt_intercom runs with no variable set.

CREATE OR REPLACE VIEW :"views".team_admin AS
SELECT
  NULL::text AS team_id,
  NULL::text AS admin_id,
  false AS _fivetran_deleted,
  NULL::timestamptz AS _fivetran_synced
WHERE false;
COMMENT ON VIEW :"views".team_admin IS 'Always empty: no table says who is in a team';

CREATE OR REPLACE VIEW :"views".company_tag_history AS
SELECT
  NULL::text AS company_id,
  NULL::timestamptz AS company_updated_at,
  NULL::text AS tag_id,
  true AS _fivetran_active,
  NULL::timestamptz AS _fivetran_start,
  NULL::timestamptz AS _fivetran_end,
  NULL::timestamptz AS _fivetran_synced
WHERE false;
COMMENT ON VIEW :"views".company_tag_history IS 'Always empty: no table has tags of companies';

CREATE OR REPLACE VIEW :"views".article_history AS
SELECT
  NULL::text AS id,
  NULL::text AS author_id,
  NULL::text AS body,
  NULL::text AS collection_id,
  NULL::timestamptz AS created_at,
  NULL::text AS default_locale,
  NULL::text AS description,
  NULL::text AS parent_type,
  NULL::text AS section_id,
  NULL::text AS state,
  NULL::bigint AS statistics_conversations,
  NULL::double precision AS statistics_happy_reaction_percentage,
  NULL::double precision AS statistics_neutral_reaction_percentage,
  NULL::bigint AS statistics_reactions,
  NULL::double precision AS statistics_sad_reaction_percentage,
  NULL::text AS statistics_type,
  NULL::bigint AS statistics_views,
  NULL::text AS title,
  NULL::text AS type,
  NULL::timestamptz AS updated_at,
  NULL::text AS url,
  NULL::text AS workspace_id,
  true AS _fivetran_active,
  NULL::timestamptz AS _fivetran_start,
  NULL::timestamptz AS _fivetran_end,
  NULL::timestamptz AS _fivetran_synced
WHERE false;
COMMENT ON VIEW :"views".article_history IS 'Always empty: the help center is not extracted';

CREATE OR REPLACE VIEW :"views".collection_history AS
SELECT
  NULL::text AS id,
  NULL::timestamptz AS created_at,
  NULL::text AS default_locale,
  NULL::text AS description,
  NULL::text AS help_center_id,
  NULL::text AS icon,
  NULL::text AS name,
  NULL::bigint AS "order",
  NULL::text AS parent_id,
  NULL::text AS type,
  NULL::timestamptz AS updated_at,
  NULL::text AS url,
  NULL::text AS workspace_id,
  true AS _fivetran_active,
  NULL::timestamptz AS _fivetran_start,
  NULL::timestamptz AS _fivetran_end,
  NULL::timestamptz AS _fivetran_synced
WHERE false;
COMMENT ON VIEW :"views".collection_history IS 'Always empty: the help center is not extracted';

CREATE OR REPLACE VIEW :"views".help_center_history AS
SELECT
  NULL::text AS id,
  NULL::timestamptz AS created_at,
  NULL::text AS display_name,
  NULL::text AS identifier,
  NULL::timestamptz AS updated_at,
  NULL::boolean AS website_turned_on,
  NULL::text AS workspace_id,
  true AS _fivetran_active,
  NULL::timestamptz AS _fivetran_start,
  NULL::timestamptz AS _fivetran_end,
  NULL::timestamptz AS _fivetran_synced
WHERE false;
COMMENT ON VIEW :"views".help_center_history IS 'Always empty: the help center is not extracted';
COMMIT;
