-- What each reservation had and used on each day of the month. A row is of one machine; the hours reserved are those of the whole reservation and stand in each of its rows.
SELECT
    lower(regexp_extract(trim(ReservationId), '[^/]*$')) AS reservation,
    date_of(UsageDate) AS day,
    max(money(ReservedHours)) AS reserved,
    -- Hours of a larger machine count as several of the reservation's own: the first column has them so.
    sum(coalesce(money(RIUsedHours), money(UsedHours), 0)) AS used,
    max(money(TotalReservedQuantity)) AS units
FROM companion
WHERE date_trunc('month', date_of(UsageDate)) = CAST(getvariable('period_start') AS DATE)
GROUP BY ALL
