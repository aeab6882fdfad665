-- What somebody else may have put into an account that he made with an address that is not his (domain/takeover.h).

-- name: takeover_links
-- in: user_id int
-- out: none
DELETE FROM linked_account WHERE user_id = $1;
