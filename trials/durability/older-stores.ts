// Rows for a store as each migration left it, so that every later one meets data: what the tables of that migration may hold.
const [EVA, MAX, DESK] = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
]
const [CAMPAIGN, GUIDELINE, JUDGEMENT, CANDIDACY] = [
  '44444444-4444-4444-8444-444444444444',
  '55555555-5555-4555-8555-555555555555',
  '66666666-6666-4666-8666-666666666666',
  '77777777-7777-4777-8777-777777777777',
]
const FILL = '88888888-8888-4888-8888-888888888888'
const [WRITING, RATING, RANKING, ROUND, WEBHOOK] = ['9', 'a', 'b', 'c', 'd'].map((digit) =>
  '99999999-9999-4999-8999-999999999999'.replaceAll('9', digit),
)

/** A campaign of another kind with three items. */
const campaignOf = (id: string | undefined, kind: string, asks = '{}') =>
  `insert into campaigns (id, project_id, name, dataset, version, guideline_id, overlap, seed, made_by, kind, asks)
     values ('${id}', '${DESK}', '${kind}', 'rows', 'v', '${GUIDELINE}', 2, 1, '${EVA}', '${kind}', '${asks}');`
const itemsOf = (id: string | undefined, { columns = '', values = '' } = {}) =>
  `insert into items (campaign_id, position, item, prompt, a, b, wanted, judged${columns})
     select '${id}', n, 'row-' || n, '"Q"', 'a', '', 2, (n = 0)::int${values} from generate_series(0, 2) as n;`

/** By the number of the migration after which they can be there. */
export const ROWS_AFTER: Record<number, string> = {
  1: `insert into users (id, email, name, password_hash, is_administrator)
        values ('${EVA}', 'eva@example.org', 'Eva', 'x', true), ('${MAX}', 'max@example.org', 'Max', 'y', false);
      insert into projects (id, slug, name, file_prefix) values ('${DESK}', 'desk', 'Desk', '');
      insert into members (project_id, user_id, role) values ('${DESK}', '${EVA}', 'owner'), ('${DESK}', '${MAX}', 'annotator');
      insert into sessions (id_hash, user_id, expires_at) values ('\\xaa', '${EVA}', now() + interval '30 days');
      insert into links (token_hash, kind, project_id, role, made_by, expires_at)
        values ('\\xbb', 'invitation', '${DESK}', 'viewer', '${EVA}', now() + interval '7 days');
      insert into sign_in_failures (who) values ('\\xcc');
      insert into audit (actor, project_id, action, subject) values ('${EVA}', '${DESK}', 'installation.set-up', 'desk');`,
  2: `insert into guidelines (id, project_id, number, text, sha256, made_by) values ('${GUIDELINE}', '${DESK}', 1, 'Choose.', 'h', '${EVA}');
      insert into campaigns (id, project_id, name, dataset, version, guideline_id, overlap, seed, made_by)
        values ('${CAMPAIGN}', '${DESK}', 'first', 'pairs', 'v', '${GUIDELINE}', 3, 1, '${EVA}');
      insert into items (campaign_id, position, item, prompt, a, b, wanted, judged, claimed)
        select '${CAMPAIGN}', n, 'pair-' || n, '"Q"', 'a', 'b', 3, (n = 0)::int, (n = 1)::int from generate_series(0, 20) as n;
      insert into claims (item_id, user_id, campaign_id, is_a_left, expires_at)
        select id, '${MAX}', '${CAMPAIGN}', true, now() + interval '1 hour' from items where position = 1;
      insert into judgements (id, item_id, user_id, key, is_a_left, choice, strength, active_seconds, guideline_id)
        select '${JUDGEMENT}', id, '${MAX}', gen_random_uuid(), true, 'left', 2, 3.5, '${GUIDELINE}' from items where position = 0;
      insert into skips (item_id, user_id) select id, '${MAX}' from items where position = 2;
      insert into flags (item_id, user_id, note) select id, '${MAX}', 'odd' from items where position = 3;
      insert into drafts (item_id, user_id, content) select id, '${MAX}', '{"reason": "half"}' from items where position = 1;
      insert into readings (guideline_id, user_id) values ('${GUIDELINE}', '${MAX}');`,
  3: `insert into fills (id, project_id, name, prompts, prompts_version, prompt_count, models, n, seed, temperature, top_p, max_tokens, made_by)
        values ('${FILL}', '${DESK}', 'drawn', 'p', 'v', 1, '[{"name": "base", "folder": "base"}]', 2, 1, 1, 1, 16, '${EVA}');
      insert into samples (fill_id, model, row_number, sample, completion, finished, tokens, logprob) values ('${FILL}', 0, 0, 0, 'text', true, 3, -1.5);`,
  4: `insert into first_looks (item_id, user_id, choice, is_a_left) select id, '${EVA}', 'tie', true from items where position = 4;
      insert into adjudications (item_id, user_id, key, outcome, is_a_left, choice, reason)
        select id, '${EVA}', gen_random_uuid(), 'decided', true, 'tie', 'why' from items where position = 4;
      update items set settled = 'decided' where position = 4;`,
  5: `insert into evaluations (project_id, name, fill_id, overlap, made_by) values ('${DESK}', 'against', '${FILL}', 3, '${EVA}');`,
  6: `insert into jobs (project_id, run, recipe, ordered, made_by) values ('${DESK}', 'sft-1', 'sft', '{"recipe": "sft"}', '${EVA}');`,
  7: `insert into mark_campaigns (campaign_id, run, step, sha256) values ('${CAMPAIGN}', 'ppo-1', 4, 'h');`,
  8: `insert into candidacies (id, project_id, release, model, folder, hash, rules, evaluations, gates, simulated, asked_by)
        values ('${CANDIDACY}', '${DESK}', 'desk', 'm', 'f', 'h', '[]', '[]', '[]', false, '${EVA}');
      insert into waivers (candidacy_id, gate, reason, waived_by, expires_at) values ('${CANDIDACY}', 'g', 'r', '${EVA}', now() + interval '1 day');
      insert into releases (project_id, name, candidacy_id, made_by) values ('${DESK}', 'desk', '${CANDIDACY}', '${EVA}');
      insert into api_keys (project_id, name, prefix, key_hash, scopes, per_minute, made_by)
        values ('${DESK}', 'k', 'hone_x', '\\xdd', '{models}', 60, '${EVA}');`,
  9: `insert into gold (item_id, user_id, better, note) select id, '${EVA}', 'a', 'why' from items where position = 5;
      update items set gold = 'a' where position = 5;
      insert into qualifications (campaign_id, user_id, attempt, passed, right_answers, answers, low, judgements)
        values ('${CAMPAIGN}', '${MAX}', 1, true, 1, 1, 0.2, '{${JUDGEMENT}}');`,
  10: `update campaigns set adaptive = '{"threshold": 0.9, "cap": 5}';`,
  11: `insert into withdrawals (project_id, user_id, reason, made_by, judgements) values ('${DESK}', '${MAX}', 'r', '${EVA}', '{${JUDGEMENT}}');
       update judgements set state = 'withdrawn';`,
  12: `update campaigns set criteria = '[{"name": "fact", "definition": "It is true."}]';
       update evaluations set criteria = '[{"name": "fact", "definition": "It is true."}]';
       update judgements set by_criterion = '{"fact": {"choice": "right", "strength": 1}}';`,
  13: `${campaignOf(WRITING, 'demonstrations', '{"tokensBy": {"name": "base", "folder": "base"}}')} ${itemsOf(WRITING)}
       insert into submissions (item_id, user_id, key, completion, edited_words, tokens, active_seconds, guideline_id, state)
         select id, '${MAX}', gen_random_uuid(), 'An answer.', 2, 3, 9.5, '${GUIDELINE}', case position when 0 then 'accepted' else 'returned' end
         from items where campaign_id = '${WRITING}' and position < 2;
       insert into reviews (submission_id, user_id, outcome, completion, edited_words, reason)
         select id, '${EVA}', case state when 'accepted' then 'fixed' else 'returned' end, case state when 'accepted' then 'A better one.' end,
           case state when 'accepted' then 3 end, 'why' from submissions;`,
  14: `${campaignOf(RATING, 'ratings', '{"questions": [{"name": "tone", "text": "How kind?", "type": "1-5", "required": true}]}')} ${itemsOf(RATING)}
       ${campaignOf(RANKING, 'rankings')} ${itemsOf(RANKING, { columns: ', completions', values: `, '["a", "b", "c"]'` })}
       insert into answers (item_id, user_id, key, content, active_seconds, guideline_id)
         select id, '${MAX}', gen_random_uuid(), case when campaign_id = '${RATING}' then '{"values": {"tone": 4}}'
           else '{"places": [2, 1, 2], "shown": [2, 0, 1]}' end::jsonb, 4, '${GUIDELINE}'
         from items where campaign_id in ('${RATING}', '${RANKING}') and position = 0;`,
  15: `${campaignOf(ROUND, 'pairs')} ${itemsOf(ROUND)}
       update campaigns set name = 'round', is_calibration = true, state = 'closed', closed_at = now() where id = '${ROUND}';
       insert into remarks (item_id, user_id, key, text) select id, '${MAX}', gen_random_uuid(), 'I see.' from items where campaign_id = '${ROUND}';
       update campaigns set pause_rule = '{"items": 10, "below": 0.7}' where id = '${CAMPAIGN}';
       insert into pauses (campaign_id, user_id, right_answers, answers) values ('${CAMPAIGN}', '${MAX}', 5.5, 10);
       insert into pauses (campaign_id, user_id, paused_by, reason, resumed_by, resumed_at, resumed_because)
         values ('${ROUND}', '${MAX}', '${EVA}', 'a talk', '${EVA}', now(), 'talked');`,
  16: `insert into webhooks (id, project_id, name, url, events, made_by)
         values ('${WEBHOOK}', '${DESK}', 'board', 'https://board.example.org', '{dataset.import}', '${EVA}');
       insert into deliveries (webhook_id, event, subject, detail) values ('${WEBHOOK}', 'dataset.import', 'pairs', '{"rows": 3}');
       insert into deliveries (webhook_id, event, subject, detail, attempts, outcome, settled_at, status)
         values ('${WEBHOOK}', 'dataset.import', 'pairs', '{}', 1, 'delivered', now(), 204);`,
  17: `insert into projects (slug, name, file_prefix, objective_file) values ('care', 'Care', 'care.', 'care.objective.json');`,
  18: `insert into submissions (item_id, user_id, key, completion, active_seconds, guideline_id, state, follows)
         select item_id, user_id, gen_random_uuid(), 'Taken back.', 3, guideline_id, 'undone', id from submissions where state = 'returned';`,
  19: `update campaigns set deadline = now() + interval '3 days' where id = '${WRITING}';`,
  21: `insert into credentials (project_id, user_id, expertise, proof, expires_at, given_by)
         values ('${DESK}', '${MAX}', 'tax-law', 'an exam', now() + interval '1 year', '${EVA}');
       insert into credentials (project_id, user_id, expertise, given_by, ended_by, ended_at)
         values ('${DESK}', '${MAX}', 'cardiology', '${EVA}', '${EVA}', now());
       update items set expertise = 'tax-law' where campaign_id = '${RATING}';`,
  20: `insert into lapses (release_id, lapsed_at) select id, now() from releases;`,
  22: `insert into objectives (project_id, number, content, sha256, note, made_by)
         values ('${DESK}', 1, '{"name": "desk"}', repeat('a', 64), '', null),
           ('${DESK}', 2, '{"name": "desk", "version": "2"}', repeat('b', 64), 'clearer', '${EVA}');`,
  33: `update campaigns set item_order = 'priority', suggestions = '{"hiddenShare": 0.2, "isAfter": false}' where id = '${CAMPAIGN}';
       update items set priority = position, rank = -position, margin = 0.5, suggestion = '{"better": "a", "score": 0.8, "source": "reward-7"}'
         where campaign_id = '${CAMPAIGN}';
       insert into suggestions_shown (item_id, user_id, shown) select item_id, user_id, 'before' from judgements where id = '${JUDGEMENT}';
       update judgements set suggestion = '{"choice": "left", "score": 0.8, "source": "reward-7", "shown": "before", "agreed": true}'
         where id = '${JUDGEMENT}';`,
  32: `update campaigns set most_each = 10, most_share = 0.5 where id = '${CAMPAIGN}';
       insert into assignments (item_id, user_id, campaign_id, assigned_by)
         select id, '${MAX}', '${CAMPAIGN}', '${EVA}' from items where campaign_id = '${CAMPAIGN}' and position in (6, 7);`,
  31: `update campaigns set overlap_share = 0.5 where id = '${CAMPAIGN}';
       update items set is_overlapped = false where campaign_id = '${CAMPAIGN}' and position % 2 = 1;`,
  30: `update campaigns set skip_policy = 'drop' where id = '${CAMPAIGN}';
       update items set is_dropped = true where campaign_id = '${CAMPAIGN}' and position = 5;`,
  29: `update judgements set highlights = '[{"side": "left", "start": 0, "end": 1, "quote": "a", "reason": "why"}]' where id = '${JUDGEMENT}';`,
  28: `insert into settings (user_id, content) values ('${MAX}', '{"view": "source"}');`,
  26: `insert into model_comparisons (campaign_id, sha256, method, evidence) values ('${CAMPAIGN}', 'h', 'majority', '[{"gain": 0}]');`,
  25: `update reviews set undone_at = now() where outcome = 'returned';
       update submissions set state = 'waiting' where state = 'returned';`,
  24: `insert into unsaved (project_id, user_id, editor, content) values ('${DESK}', '${EVA}', 'guideline', '{"text": "Cho", "from": 1}');`,
}
