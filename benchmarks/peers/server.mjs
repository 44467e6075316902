// The backend that a Node developer writes for the same schema, tables and rows: mercurius with its JIT, fastify and
// pg. A play is one data-modifying statement, a screen a statement a field. `node server.mjs options.json`; the options
// are what `benchmarks/peers/node.py` writes.

import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { createVerifier } from 'fast-jwt'
import fastify from 'fastify'
import mercurius from 'mercurius'
import pg from 'pg'

const options = JSON.parse(readFileSync(process.argv[2], 'utf8'))

if (cluster.isPrimary) {
  for (let worker = 0; worker < options.workers; worker++) cluster.fork()
  cluster.on('exit', () => process.exit(1))
} else {
  await serve()
}

async function serve() {
  pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)
  const pool = new pg.Pool(options.database)
  const app = fastify({ keepAliveTimeout: 60_000 })
  const verify = createVerifier({ key: options.secret, algorithms: ['HS256'], cache: 10_000 })
  app.register(mercurius, {
    schema: readFileSync(options.schema, 'utf8'),
    resolvers: resolvers(pool),
    context: (request) => ({ player: verify(request.headers.authorization.slice('Bearer '.length)).sub }),
    jit: 1,
    graphiql: false
  })
  app.get('/readyz', () => 'ok')
  await app.listen({ host: '127.0.0.1', port: options.port })
}

function resolvers(pool) {
  const one = async (name, values) => (await pool.query({ name, text: STATEMENTS[name], values })).rows[0]
  const viewed = new Map()
  return {
    Query: {
      async todayFeature(_root, _arguments, { player }) {
        const day = today()
        const feature = await one('feature', [day])
        if (viewed.get(player) !== day) {
          await one('view', [player, feature.feature_type, day])
          viewed.set(player, day)
        }
        return {
          __typename: 'TodayFeature',
          date: day,
          featureType: feature.feature_type,
          title: feature.title,
          pagePath: feature.page_path,
          serverTime: new Date().toISOString(),
          endsAt: midnightAfter(day)
        }
      },
      async diceStatus(_root, _arguments, { player }) {
        const day = today()
        const config = await one('dice', [player, day])
        return {
          __typename: 'DiceStatus',
          config: {
            id: config.id,
            name: config.name,
            revision: config.revision,
            maxDailyPlays: config.max_daily_plays,
            winReward: reward(config, 'win_'),
            drawReward: reward(config, 'draw_'),
            loseReward: reward(config, 'lose_')
          },
          dailyLimit: limit(config.max_daily_plays, config.used, day)
        }
      },
      async seasonPassStatus(_root, _arguments, { player }) {
        const day = today()
        const season = await one('season', [player, day])
        const xp = season.current_xp ?? 0
        const reached = season.current_level ?? 0
        return {
          __typename: 'SeasonPassStatus',
          season: {
            id: season.id,
            name: season.name,
            startDate: season.start_date,
            endDate: season.end_date,
            maxLevel: season.max_level
          },
          progress: {
            currentXp: xp,
            currentLevel: reached,
            nextLevelXp: season.levels.find((level) => level.level === reached + 1)?.required_xp ?? null,
            totalStamps: season.total_stamps ?? 0,
            lastStampDate: season.last_stamp_date
          },
          today: { date: day, stamped: season.stamped },
          levels: season.levels.map((level) => ({
            level: level.level,
            requiredXp: level.required_xp,
            autoClaim: level.auto_claim,
            state: level.claimed_at ? 'CLAIMED' : level.level <= reached ? 'CLAIMABLE' : 'LOCKED',
            claimedAt: level.claimed_at,
            reward: reward(level)
          }))
        }
      },
      async me(_root, _arguments, { player }) {
        const account = await one('account', [player])
        return { id: account.id, externalId: account.external_id, isBlocked: account.is_blocked }
      }
    },
    Player: {
      async balances({ id }) {
        return (await pool.query({ name: 'balances', text: STATEMENTS.balances, values: [id] })).rows
      }
    },
    Mutation: {
      async playDice(_root, { input }, { player }) {
        const day = today()
        const { texts } = options
        const values = [player, input.idempotencyKey, day, texts.played, texts.stamped, texts.climbed, texts.answer]
        return played(await onceMore(() => one('play', values)), day)
      }
    }
  }
}

function played(row, day) {
  return {
    __typename: 'DicePlay',
    id: row.play_id,
    businessDate: day,
    playedAt: row.at.toISOString(),
    replayed: false,
    reward: row.reward_type === 'NONE' ? null : granted(row.reward_type, row.reward_amount, row.balance),
    dailyLimit: limit(0, row.play_no, day),
    seasonPass: row.stamp && {
      addedStamp: 1,
      xpAdded: row.stamp.xp,
      currentXp: row.stamp.current_xp,
      currentLevel: row.stamp.current_level,
      leveledUp: row.stamp.leveled_up,
      rewards: row.stamp.rewards.map((level) => ({
        level: level.level,
        claimedAt: row.at.toISOString(),
        reward: granted(level.type, level.amount, level.balance)
      }))
    },
    userDice: [row.u1, row.u2],
    userSum: row.u1 + row.u2,
    dealerDice: [row.d1, row.d2],
    dealerSum: row.d1 + row.d2,
    outcome: row.outcome
  }
}

const granted = (type, amount, balance) => ({ type, amount, balance: Number(balance), couponCode: null })

const reward = (row, prefix = '') => ({
  type: row[`${prefix}reward_type`],
  amount: row[`${prefix}reward_amount`],
  couponType: row[`${prefix}coupon_type`]
})

const limit = (max, used, day) => ({
  max,
  used,
  remaining: Math.max(max - used, 0),
  unlimited: max === 0,
  resetsAt: midnightAfter(day)
})

/** Two plays of one player met: the second finds what the first one wrote. */
async function onceMore(work) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (error.code !== '23505' || attempt === 5) throw error
    }
  }
}

const offset = options.utcOffsetSeconds * 1000
const today = () => new Date(Date.now() + offset).toISOString().slice(0, 10)
const midnightAfter = (day) => new Date(Date.parse(day) + 86_400_000 - offset).toISOString()

const STATEMENTS = {
  play: options.play,
  feature: `
    SELECT f.feature_type, f.title, f.page_path FROM feature_schedule d JOIN feature_config f USING (feature_type)
    WHERE d.date = $1::date AND d.is_active AND f.is_enabled`,
  view: `
    INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)
    VALUES ($1::uuid, gen_random_uuid(), $2, 'FEATURE_VIEW', $3::date, '{}', now())
    ON CONFLICT (user_id, business_date) WHERE event_name = 'FEATURE_VIEW' DO NOTHING`,
  dice: `
    SELECT c.*, (SELECT coalesce(max(l.play_no), 0) FROM dice_log l
                 WHERE l.user_id = $1::uuid AND l.business_date = $2::date) AS used
    FROM dice_config c
    WHERE c.effective_from <= now() AND (c.effective_until IS NULL OR c.effective_until > now())
        AND NOT EXISTS (SELECT FROM dice_withdrawal w WHERE w.config_id = c.id)
    ORDER BY c.effective_from DESC, c.revision DESC LIMIT 1`,
  season: `
    SELECT s.*, p.current_xp, p.current_level, p.total_stamps, p.last_stamp_date,
        EXISTS (SELECT FROM season_pass_stamp_log t
                WHERE t.user_id = $1::uuid AND t.season_id = s.id AND t.date = $2::date) AS stamped,
        (SELECT json_agg(json_build_object('level', l.level, 'required_xp', l.required_xp,
             'auto_claim', l.auto_claim, 'reward_type', l.reward_type, 'reward_amount', l.reward_amount,
             'coupon_type', l.coupon_type, 'claimed_at', r.created_at) ORDER BY l.level)
         FROM season_pass_level l LEFT JOIN season_pass_reward_log r
             ON r.user_id = $1::uuid AND r.season_id = l.season_id AND r.level = l.level
         WHERE l.season_id = s.id) AS levels
    FROM season_pass_config s
    LEFT JOIN season_pass_progress p ON p.user_id = $1::uuid AND p.season_id = s.id
    WHERE $2::date BETWEEN s.start_date AND s.end_date`,
  account: 'SELECT id, external_id, is_blocked FROM "user" WHERE id = $1::uuid',
  balances: 'SELECT reward_type AS type, amount::float8 AS amount FROM reward_balance WHERE user_id = $1::uuid'
}
