// What sallyport.h declares, for dart:ffi. Written by tools/dart-ffi.py: change the header, not this.
//
// Names, and what they mean, are the header's.

// ignore_for_file: camel_case_types, constant_identifier_names
// ignore_for_file: lines_longer_than_80_chars, non_constant_identifier_names
// ignore_for_file: public_member_api_docs

import 'dart:ffi';

const int SP_VERSION_MAJOR = 0;
const int SP_VERSION_MINOR = 1;
const int SP_VERSION_PATCH = 0;
const int SP_RECORD_MAX = 16384;

// sp_error
const int SP_OK = 0;
const int SP_SECOND_FACTOR = 1;
const int SP_SETUP_REQUIRED = 2;
const int SP_REFUSED = 3;
const int SP_REAUTH = 4;
const int SP_SIGNED_OUT = 5;
const int SP_LATER = 6;
const int SP_NETWORK = 7;
const int SP_TIMEOUT = 8;
const int SP_SERVER = 9;
const int SP_PROTOCOL = 10;
const int SP_INVALID = 11;
const int SP_STORE = 12;
const int SP_UNAVAILABLE = 13;
const int SP_CANCELLED = 14;
const int SP_MEMORY = 15;

// sp_state
const int SP_STATE_SIGNED_IN = 1;
const int SP_STATE_REFRESHED = 2;
const int SP_STATE_SIGNED_OUT = 3;

typedef sp_store_load_fn = UnsignedInt Function(Pointer<Void>, Pointer<Char>, Pointer<Char>, Size, Pointer<Size>);

typedef sp_store_save_fn = UnsignedInt Function(Pointer<Void>, Pointer<Char>, Pointer<Char>);

typedef sp_store_erase_fn = UnsignedInt Function(Pointer<Void>, Pointer<Char>);

typedef sp_store_lock_fn = UnsignedInt Function(Pointer<Void>, Pointer<Char>, Int);

typedef sp_store_unlock_fn = Void Function(Pointer<Void>, Pointer<Char>);

typedef sp_store_close_fn = Void Function(Pointer<Void>);

typedef sp_state_fn = Void Function(Pointer<Void>, UnsignedInt, Pointer<Char>);

typedef sp_open_fn = Int Function(Pointer<Void>, Pointer<Char>);

typedef sp_done_fn = Void Function(Pointer<Void>, Pointer<sp_result>);

final class sp_challenge extends Struct {
  external Pointer<Char> temp_token;
  external Pointer<Pointer<Char>> methods;
  @Size() external int n_methods;
}

final class sp_profile extends Struct {
  external Pointer<Char> id;
  external Pointer<Char> email;
  external Pointer<Char> first_name;
  external Pointer<Char> last_name;
  external Pointer<Char> name;
  external Pointer<Char> phone_number;
  external Pointer<Char> role;
  external Pointer<Char> login_provider;
  external Pointer<Char> last_login;
  @Int() external int is_email_verified;
  @Int() external int is_totp_enabled;
  @Int() external int has_password;
  @Int() external int is_admin;
  @Int() external int is_guest;
}

final class sp_session extends Struct {
  external Pointer<Char> handle;
  external Pointer<Char> created_at;
  external Pointer<Char> expires_at;
  external Pointer<Char> last_active_at;
  external Pointer<Char> user_agent;
  external Pointer<Char> ip_address;
  @Int() external int is_current;
}

final class sp_linked_account extends Struct {
  external Pointer<Char> provider;
  external Pointer<Char> provider_account_id;
  external Pointer<Char> email;
  external Pointer<Char> name;
  external Pointer<Char> picture;
  external Pointer<Char> linked_at;
}

final class sp_totp extends Struct {
  external Pointer<Char> secret;
  external Pointer<Char> otpauth_url;
  external Pointer<Char> qr_code;
}

final class sp_field extends Struct {
  external Pointer<Char> field;
  external Pointer<Char> reason;
}

final class sp_result extends Struct {
  @UnsignedInt() external int error;
  @Int() external int status;
  external Pointer<Char> code;
  external Pointer<Char> message;
  @Int() external int retry_after;
  external Pointer<sp_field> fields;
  @Size() external int n_fields;
  external Pointer<sp_challenge> challenge;
  external Pointer<sp_profile> profile;
  external Pointer<sp_session> sessions;
  @Size() external int n_sessions;
  external Pointer<sp_linked_account> accounts;
  @Size() external int n_accounts;
  external Pointer<sp_totp> totp;
  external Pointer<Pointer<Char>> recovery_codes;
  @Size() external int n_recovery_codes;
  external Pointer<Char> user_id;
  external Pointer<Char> access_token;
  external Pointer<Char> url;
  external Pointer<Char> merge_token;
  external Pointer<Char> link_token;
  external Pointer<Char> body;
  @Size() external int body_length;
}

final class sp_store extends Struct {
  @Size() external int size;
  external Pointer<Void> context;
  external Pointer<NativeFunction<sp_store_load_fn>> load;
  external Pointer<NativeFunction<sp_store_save_fn>> save;
  external Pointer<NativeFunction<sp_store_erase_fn>> erase;
  external Pointer<NativeFunction<sp_store_lock_fn>> lock;
  external Pointer<NativeFunction<sp_store_unlock_fn>> unlock;
  external Pointer<NativeFunction<sp_store_close_fn>> close;
}

final class sp_client extends Opaque {}

final class sp_options extends Struct {
  @Size() external int size;
  external Pointer<Char> server;
  external Pointer<Char> prefix;
  external Pointer<Char> account;
  external Pointer<sp_store> store;
  external Pointer<Char> language;
  external Pointer<Char> user_agent;
  external Pointer<Char> ca_file;
  @Int() external int timeout_ms;
  @Int() external int connect_timeout_ms;
  external Pointer<Char> loopback_path;
  external Pointer<NativeFunction<sp_state_fn>> on_state;
  external Pointer<Void> context;
}

class Bindings {
  Bindings(this.library);

  final DynamicLibrary library;

  late final sp_version = library.lookupFunction<
      Pointer<Char> Function(),
      Pointer<Char> Function()>('sp_version');

  late final sp_error_name = library.lookupFunction<
      Pointer<Char> Function(UnsignedInt),
      Pointer<Char> Function(int error)>('sp_error_name');

  late final sp_result_free = library.lookupFunction<
      Void Function(Pointer<sp_result>),
      void Function(Pointer<sp_result> result)>('sp_result_free');

  late final sp_store_memory = library.lookupFunction<
      UnsignedInt Function(Pointer<sp_store>),
      int Function(Pointer<sp_store> store)>('sp_store_memory');

  late final sp_store_file = library.lookupFunction<
      UnsignedInt Function(Pointer<Char>, Pointer<Char>, Pointer<sp_store>),
      int Function(Pointer<Char> path, Pointer<Char> passphrase, Pointer<sp_store> store)>('sp_store_file');

  late final sp_store_keyring = library.lookupFunction<
      UnsignedInt Function(Pointer<sp_store>),
      int Function(Pointer<sp_store> store)>('sp_store_keyring');

  late final sp_store_secret_service = library.lookupFunction<
      UnsignedInt Function(Pointer<sp_store>),
      int Function(Pointer<sp_store> store)>('sp_store_secret_service');

  late final sp_client_new = library.lookupFunction<
      UnsignedInt Function(Pointer<sp_options>, Pointer<Pointer<sp_client>>),
      int Function(Pointer<sp_options> options, Pointer<Pointer<sp_client>> client)>('sp_client_new');

  late final sp_client_free = library.lookupFunction<
      UnsignedInt Function(Pointer<sp_client>),
      int Function(Pointer<sp_client> client)>('sp_client_free');

  late final sp_client_cancel = library.lookupFunction<
      Void Function(Pointer<sp_client>),
      void Function(Pointer<sp_client> client)>('sp_client_cancel');

  late final sp_client_resume = library.lookupFunction<
      Void Function(Pointer<sp_client>),
      void Function(Pointer<sp_client> client)>('sp_client_resume');

  late final sp_register = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email, Pointer<Char> password, Pointer<Char> first_name, Pointer<Char> last_name)>('sp_register');

  late final sp_login = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email, Pointer<Char> password)>('sp_login');

  late final sp_logout = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_logout');

  late final sp_guest = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_guest');

  late final sp_refresh = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_refresh');

  late final sp_access_token = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Int),
      Pointer<sp_result> Function(Pointer<sp_client> client, int min_validity)>('sp_access_token');

  late final sp_is_signed_in = library.lookupFunction<
      Int Function(Pointer<sp_client>),
      int Function(Pointer<sp_client> client)>('sp_is_signed_in');

  late final sp_clear_tokens = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_clear_tokens');

  late final sp_get_profile = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_get_profile');

  late final sp_update_profile = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> first_name, Pointer<Char> last_name)>('sp_update_profile');

  late final sp_export = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_export');

  late final sp_delete_account = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> password, Pointer<Char> code)>('sp_delete_account');

  late final sp_get_sessions = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_get_sessions');

  late final sp_revoke_session = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> handle)>('sp_revoke_session');

  late final sp_verify_totp = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> totp_code)>('sp_verify_totp');

  late final sp_verify_recovery_code = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> recovery_code)>('sp_verify_recovery_code');

  late final sp_send_sms_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token)>('sp_send_sms_2fa');

  late final sp_verify_sms_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> code)>('sp_verify_sms_2fa');

  late final sp_send_magic_link_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> type)>('sp_send_magic_link_2fa');

  late final sp_verify_magic_link_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> token)>('sp_verify_magic_link_2fa');

  late final sp_verify_email_code_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> code)>('sp_verify_email_code_2fa');

  late final sp_remember_device = library.lookupFunction<
      Void Function(Pointer<sp_client>, Int),
      void Function(Pointer<sp_client> client, int remember)>('sp_remember_device');

  late final sp_setup_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> password, Pointer<Char> code)>('sp_setup_2fa');

  late final sp_verify_setup_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> temp_token, Pointer<Char> totp_code)>('sp_verify_setup_2fa');

  late final sp_disable_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> password, Pointer<Char> code)>('sp_disable_2fa');

  late final sp_new_recovery_codes = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> password, Pointer<Char> code)>('sp_new_recovery_codes');

  late final sp_keep_2fa = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> token)>('sp_keep_2fa');

  late final sp_send_magic_link = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email, Pointer<Char> type)>('sp_send_magic_link');

  late final sp_verify_magic_link = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> token)>('sp_verify_magic_link');

  late final sp_verify_email_code = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email, Pointer<Char> code)>('sp_verify_email_code');

  late final sp_send_sms = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email)>('sp_send_sms');

  late final sp_verify_sms = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email, Pointer<Char> code)>('sp_verify_sms');

  late final sp_forgot_password = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email)>('sp_forgot_password');

  late final sp_reset_password = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> token, Pointer<Char> new_password)>('sp_reset_password');

  late final sp_change_password = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> current_password, Pointer<Char> new_password)>('sp_change_password');

  late final sp_send_verification_email = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email)>('sp_send_verification_email');

  late final sp_verify_email = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> token)>('sp_verify_email');

  late final sp_change_email_request = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> new_email, Pointer<Char> password, Pointer<Char> code)>('sp_change_email_request');

  late final sp_change_email_confirm = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> token)>('sp_change_email_confirm');

  late final sp_change_email_revert = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> token)>('sp_change_email_revert');

  late final sp_add_phone = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> phone_number, Pointer<Char> password, Pointer<Char> code)>('sp_add_phone');

  late final sp_verify_phone = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> sms_code)>('sp_verify_phone');

  late final sp_get_linked_accounts = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>),
      Pointer<sp_result> Function(Pointer<sp_client> client)>('sp_get_linked_accounts');

  late final sp_link_request = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> email, Pointer<Char> provider, Pointer<Char> password)>('sp_link_request');

  late final sp_link_verify = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Int),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> token, int sign_in)>('sp_link_verify');

  late final sp_unlink_account = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> provider, Pointer<Char> provider_account_id, Pointer<Char> password)>('sp_unlink_account');

  late final sp_open_browser = library.lookupFunction<
      Int Function(Pointer<Void>, Pointer<Char>),
      int Function(Pointer<Void> context, Pointer<Char> url)>('sp_open_browser');

  late final sp_oauth_login = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<NativeFunction<sp_open_fn>>, Pointer<Void>, Int),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> provider, Pointer<NativeFunction<sp_open_fn>> open, Pointer<Void> context, int timeout_s)>('sp_oauth_login');

  late final sp_oauth_link = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<NativeFunction<sp_open_fn>>, Pointer<Void>, Int),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> provider, Pointer<Char> password, Pointer<NativeFunction<sp_open_fn>> open, Pointer<Void> context, int timeout_s)>('sp_oauth_link');

  late final sp_oauth_begin = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> provider, Pointer<Char> redirect_uri)>('sp_oauth_begin');

  late final sp_oauth_link_begin = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> provider, Pointer<Char> redirect_uri, Pointer<Char> password)>('sp_oauth_link_begin');

  late final sp_oauth_continue = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> url)>('sp_oauth_continue');

  late final sp_oauth_token = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>, Pointer<Char>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> provider, Pointer<Char> id_token, Pointer<Char> nonce)>('sp_oauth_token');

  late final sp_open_link = library.lookupFunction<
      Pointer<sp_result> Function(Pointer<sp_client>, Pointer<Char>),
      Pointer<sp_result> Function(Pointer<sp_client> client, Pointer<Char> url)>('sp_open_link');

  late final sp_start = library.lookupFunction<
      UnsignedInt Function(Pointer<sp_client>, Pointer<Char>, Pointer<Pointer<Char>>, Size, Pointer<NativeFunction<sp_done_fn>>, Pointer<Void>),
      int Function(Pointer<sp_client> client, Pointer<Char> call, Pointer<Pointer<Char>> arguments, int n_arguments, Pointer<NativeFunction<sp_done_fn>> done, Pointer<Void> context)>('sp_start');
}
