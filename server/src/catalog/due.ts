/**
 * As a policy's rules see it, whose index is by this text: a direction that nobody has proven counts for none. SQL over
 * the columns of `recordings`.
 */
export const inDirection = `CASE WHEN 'direction' = ANY(unproven) THEN '' ELSE coalesce(direction, '') END`;
