import { z } from "zod";

/**
 * What a collection lets one request ask of it: its strict mode (Qdrant's collection setting `strict_mode_config`, read in 1.19.0),
 * which is any user's to set. Pure.
 */
export interface Limits {
  /** Points that one answer may have; Infinity without a limit. */
  readonly page: number;
  /** Ids that one filter may name; 0: no filter at all. */
  readonly ids: number;
  /** Whether points may be counted, or searched, by reading every one. */
  readonly exact: boolean;
  /** Points that may be read by id in a minute (each is one of `read_rate_limit`); a request for more is refused for good. */
  readonly perMinute: number;
}

/** Of a collection without strict mode. */
export const UNLIMITED: Limits = { page: Infinity, ids: Infinity, exact: true, perMinute: Infinity };

const number = z.number().nullish().catch(null);
const flag = z.boolean().nullish().catch(null);
const strict = z.object({
  strict_mode_config: z.object({
    enabled: flag,
    max_query_limit: number,
    search_allow_exact: flag,
    read_rate_limit: number,
    filter_max_conditions: number,
    condition_max_size: number,
  }),
});

/** @param config a collection's, as Qdrant gives it */
export function limitsOf(config: Record<string, unknown>): Limits {
  const known = strict.safeParse(config);
  if (!known.success || known.data.strict_mode_config.enabled !== true) return UNLIMITED;
  const { max_query_limit: page, search_allow_exact: exact, read_rate_limit: rate, filter_max_conditions: conditions, condition_max_size: size } = known.data.strict_mode_config;
  return {
    page: page ?? Infinity,
    ids: conditions === 0 ? 0 : (size ?? Infinity),
    exact: exact ?? true,
    perMinute: rate ?? Infinity,
  };
}
