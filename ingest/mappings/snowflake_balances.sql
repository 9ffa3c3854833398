-- What was left at the end of each day, in money. What is due on demand is negative until it is paid.
SELECT
    day_of("DATE") AS day,
    trim(ORGANIZATION_NAME) AS organization,
    trim(CONTRACT_NUMBER) AS contract,
    upper(trim(CURRENCY)) AS currency,
    coalesce(money(FREE_USAGE_BALANCE), 0) AS free,
    coalesce(money(CAPACITY_BALANCE), 0) AS capacity,
    coalesce(money(ON_DEMAND_CONSUMPTION_BALANCE), 0) AS on_demand,
    coalesce(money(ROLLOVER_BALANCE), 0) AS rollover
FROM companion
