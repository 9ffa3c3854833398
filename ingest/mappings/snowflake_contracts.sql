-- What was bought, item by item, in money. Only the active contract is shown.
SELECT DISTINCT
    trim(ORGANIZATION_NAME) AS organization,
    trim(CONTRACT_NUMBER) AS contract,
    lower(trim(CONTRACT_ITEM)) AS item,
    day_of(START_DATE) AS starts,
    day_of(END_DATE) AS ends,
    day_of(EXPIRATION_DATE) AS expires,
    upper(trim(CURRENCY)) AS currency,
    money(AMOUNT) AS amount,
    day_of(CONTRACT_MODIFIED_DATE) AS modified
FROM companion
