-- Digest: why a mail was not sent, and why a run is stopped, as a word. `detail` and `paused` hold the other side's own words
-- from now on. NULL: none, or a program of before wrote the row, and its sentence stands where the words do.

ALTER TABLE mail ADD COLUMN reason TEXT;
ALTER TABLE run ADD COLUMN pause_reason TEXT;

-- Our own sentences of before; what else there is, is a server's.
UPDATE mail SET detail = '', reason = CASE detail
    WHEN 'đăng ký đã kết thúc' THEN 'subscription_ended'
    WHEN 'mọi tin trong thư đã được gỡ' THEN 'nothing_left'
    WHEN 'hết thời hạn gửi' THEN 'time_up'
    WHEN 'chờ đến giờ hành chính' THEN 'send_window'
    WHEN 'chưa bắt đầu gửi' THEN 'not_begun'
    WHEN 'đợt gửi đang tạm dừng' THEN 'run_paused'
    WHEN 'kết nối với máy chủ thư đã mất' THEN 'connection_lost'
    WHEN 'địa chỉ không gửi thư được' THEN 'not_an_address'
    ELSE 'lost_twice' END
WHERE detail IN ('đăng ký đã kết thúc', 'mọi tin trong thư đã được gỡ', 'hết thời hạn gửi', 'chờ đến giờ hành chính',
    'chưa bắt đầu gửi', 'đợt gửi đang tạm dừng', 'kết nối với máy chủ thư đã mất', 'địa chỉ không gửi thư được',
    'twice the sender was lost in the middle of the SMTP dialogue');
