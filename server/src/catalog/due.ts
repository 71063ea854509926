/** SQL: the direction that a policy's rules see, empty where it is unknown or unproven. The index uses the same text. */
export const inDirection = `CASE WHEN 'direction' = ANY(unproven) THEN '' ELSE coalesce(direction, '') END`;
