/* phone.js - the number of the account, where text messages can be sent. change and fold are account.js's. */
import { $, api, moveTo, onClick, onSubmit, say, show, t, understands } from './page.js';

understands('error_INVALID_PHONE_CODE', 'error_SMS_NOT_CONFIGURED', 'error_field_COUNTRY');

export function start(change, fold) {
  onSubmit($('phone-form'), async ({ phoneNumber }, form) => {
    if (!(await change(form, (proof) => api.addPhone(phoneNumber, proof)))) return;
    show(form, false);
    say('info', t('sms_sent'), { near: form });
    moveTo($('phone-code-form'));
  });
  onSubmit($('phone-code-form'), async ({ code }, form) => {
    if (!(await change(form, () => api.verifyPhone(code), t('phone_added')))) return;
    show(form, false);
    show($('phone-form'));
    fold(form);
  });
  onClick($('phone-remove'), () => change($('phone-form'), (proof) => api.addPhone(null, proof), t('phone_removed')));
}
