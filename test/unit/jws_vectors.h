/* Keys and signatures of the RFCs' own examples (keys as PKCS#8), and forgeries made with them. */
#ifndef TEST_JWS_VECTORS_H
#define TEST_JWS_VECTORS_H

/* RFC 7515 appendix A.3.1 */
static const char rfc7515_a3_es256_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
	"H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
	"7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
	"-----END PRIVATE KEY-----\n";

/* RFC 7515 appendix A.3.1 */
static const char rfc7515_a3_input[] =
	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
	"leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/* RFC 7515 appendix A.3.1 */
static const char rfc7515_a3_signature[] =
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-K"
	"g6NU1Q";

/* RFC 7515 appendix A.2.1 */
static const char rfc7515_a2_rs256_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"
	"jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"
	"aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"
	"juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"
	"ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"
	"toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"
	"VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"
	"PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"
	"O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"
	"kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"
	"XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"
	"4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"
	"pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"
	"0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"
	"lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"
	"kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"
	"rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"
	"kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"
	"5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"
	"9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"
	"evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"
	"yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"
	"OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"
	"tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"
	"ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"
	"03k2+ZQwVK0JKSHuLFkuQ3U=\n"
	"-----END PRIVATE KEY-----\n";

/* RFC 7515 appendix A.2.1 */
static const char rfc7515_a2_input[] =
	"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
	"leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/* RFC 7515 appendix A.2.1 */
static const char rfc7515_a2_signature[] =
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF"
	"5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK"
	"5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt"
	"FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
	"p0igcN_IoypGlUPQGe77Rw";

/* RFC 7515 appendix A.1.1 */
static const char rfc7515_a1_hs256_key[] =
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1"
	"Z9CAow";

/* RFC 7515 appendix A.1.1 */
static const char rfc7515_a1_input[] =
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTk"
	"zODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/* RFC 7515 appendix A.1.1 */
static const char rfc7515_a1_signature[] =
	"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/* RFC 8037 appendix A.1 */
static const char rfc8037_a1_eddsa_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n";

/* RFC 8037 appendix A.3 */
static const char rfc8037_a3_thumbprint[] =
	"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

/* RFC 8037 appendix A.4 */
static const char rfc8037_a4_input[] =
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";

/* RFC 8037 appendix A.4 */
static const char rfc8037_a4_signature[] =
	"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_M"
	"uM0KAg";

/* RFC 7517 appendix A.2, the key of RFC 7638 section 3.1 */
static const char rfc7517_a2_rsa_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDS/HtqCh5sZxBK\n"
	"64+Isldmm032ed2tCZtcSmzZqIAVtaEzvwuFbHhxtt8AC1VPzrPC7VErto8UXG6E\n"
	"NHUvq1Khz8EkQI95tYpFeMFkKIVXifeiSeOEyy2fri1n/Zb7kmwZjgdzmf3IFcCv\n"
	"CX3eWq3v9E3nDoJ/SHhDJDm/7rlgaNBHT8UNbZC/OpjfrxBAyJwC1pKrOzwolmCd\n"
	"hv1zt3TOB0BkfO7qoxC9EvmFqOufWf3UJs6lshIPTyo0vKt2S35sVNaEAji8xAWH\n"
	"pZ5m7R8ziUV3Y1xHCvdc+Swg0dpD4b/EGeIipvDQuzWMXjj5ywUK6v6QSBTxrBqk\n"
	"nMqeoMqDAgMBAAECggEAX4cTteJY/gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoV\n"
	"H+HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT\n"
	"0/YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy/nHNKroADIkJ46pRUohsXywbReAdYaM\n"
	"wFs9tv8d/cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2j\n"
	"x4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL+Us2lG\n"
	"VkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8QKBgQDzeL7si8wZegxcKyS/\n"
	"vdMqvzrfsWI7tnbvO/yiPqltZRDIs9AFDG09WfAPbRH7rR5MOYPa6Ocy3k+ioyub\n"
	"xF+Y2FVYO2OMyYIyM6lJeJwUePtc65UhhDKpVaVYSHp03foZVliT3c3wFz29jjXH\n"
	"LwH1HPM4ZVDNe80S+fs7SdVt+wKBgQDd185H1y5ir7RL6aQUvOAi2AwR8XMHareF\n"
	"Z6Ey4bSgK6qdve+hsvK6aqNVlA7V0it3CBOcJ2ljMFw59bmvfvQAVeOJZ+380YSK\n"
	"i+ieLOEqmj1VVLvxPMWDGQh2t5xF7Oxn7WRh3+zWoNvG2QMSB8AhMAb0tScAO6fi\n"
	"8hxvrJ6XGQKBgBuLD15HOmGvcvKCVvfyC4+MbqabtJc4vx+1U5EvMY+UnV93KBNK\n"
	"IpmMMSItnpkwLntFDmuXaYBRsgSeHPLUNlReNNl0boCg0z/GpGIRaObQAO+0HvzZ\n"
	"rbmGXNwt5tyNuBthr0ebEg8VMgDds6vC35/RFJrOq2Nzm/GHoipE4gY9AoGBALPZ\n"
	"QB/X4IAbKBUfDmnNkfxNoMNvNq09pBjgIbyJZRExNXn6wOoblFLzHwXDKZ/Janlu\n"
	"r8852GOUkkBe6THQv2oCN5xvCG6dQVG9CVIq2kTalHy4XEG/3fRheA4e3u+Fm0bK\n"
	"G0aJ7o02DdcQmj+kzutY71q1/i9fLcV8OPeEP3IJAoGAGyM/p6JrXySiz1toFgKb\n"
	"WV+JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa+Bk0KWNG\n"
	"DjJHZDdDmFhW3AN7lI+puxk/mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKF\n"
	"YItdldUKGzO6Ia6zTKhAVRU=\n"
	"-----END PRIVATE KEY-----\n";

/* RFC 7638 section 3.1 */
static const char rfc7638_31_thumbprint[] =
	"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

/* The claims of test_jws.c under rfc7517_a2_rsa_pem: RSASSA-PSS, and the header says so */
static const char forged_ps256[] =
	"eyJhbGciOiJQUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ik56YkxzWGg4dURDY2QtNk1Od1hGNFdf"
	"N25vV1hGWkFmSGt4WnNSR0M5WHMifQ.eyJpc3MiOiJodHRwczovL2F1dGgudGVzdCIsImF1ZCI6Imh0d"
	"HBzOi8vYXV0aC50ZXN0Iiwic3ViIjoidTEiLCJzaWQiOiJzMSIsImp0aSI6ImoxIiwiaWF0IjoxNzAwM"
	"DAwMDAwLCJleHAiOjE3MDAwMDA5MDAsInRva2VuX3VzZSI6ImFjY2VzcyJ9.bh7pHqDNg_6cTYOPp05A"
	"6R1oJYtJbvjTAAnyd02E3UpZXkGjjmPdIIwl85g6CYiqkt3KaNlbD_mwG2mhJbGmr003prN9esx0Yq4c"
	"hAYjYMI5VHtm_ru-zqyLR_io4VkVgHYf0EhjlgN_F9v-ZFrXCx39YlkP47pK8PcJeVG7hEUV3fI4FjHu"
	"SfPCBJgONXYcxhNjrIxCp5xz_KjXroN-zG1-jFOIyCzhN_D4j5ChGQ3i79NDQF8RaaHBeVCi-jffmF9n"
	"RIHvDSlheCI_HtR5B7n688VOAxSE-QeJtSTpKZ7xa2J2WqVm2O8bLF4U3d6NzEk-0n7xd_gMt1Joveas"
	"aw";

/* RSASSA-PSS, but the header says RS256 */
static const char forged_rs256_with_pss[] =
	"eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ik56YkxzWGg4dURDY2QtNk1Od1hGNFdf"
	"N25vV1hGWkFmSGt4WnNSR0M5WHMifQ.eyJpc3MiOiJodHRwczovL2F1dGgudGVzdCIsImF1ZCI6Imh0d"
	"HBzOi8vYXV0aC50ZXN0Iiwic3ViIjoidTEiLCJzaWQiOiJzMSIsImp0aSI6ImoxIiwiaWF0IjoxNzAwM"
	"DAwMDAwLCJleHAiOjE3MDAwMDA5MDAsInRva2VuX3VzZSI6ImFjY2VzcyJ9.WzxVZ_rs8zRo2J26PFh6"
	"hqV-lrBYQXrKcKAXwH-FqUWPzx5K9EZHQ2Vy7PL21ch0f5e25TwwFxY91LOKCS1Mx9qV_qpMpvFf4IUz"
	"T1DqKaYFI7VmubhfmRuuyFVqhmq8rfCLFjTjRjFzSLEWOMvYcuY9GL7nl4P4fbpGiSTc6y-nb73POp4p"
	"tDaMpxXT1I-taRjTTxt11YayCGasCAijF6fOXsDxPp4eDgXRyoYGiAX7K4QEojGeL0FK2Bip8spxo6XX"
	"gA08VQWIG9EW_XaWixNf-g_lt6lAZBY6Aw27UqJ4nBwVqd5YEF-1IdC2iQYCO0yeG0OPxgI2ur_Xn8Mi"
	"tQ";

/* RSA below 2048 bits */
static const char refused_rsa1024_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAN5SAlOaLS0VNIF9\n"
	"/GWOKQYol/TEf99USR3WQHD8JocfkeHpNV6tA/L3Bnkc7wHI27k0XV000L2edAVB\n"
	"ixi/ycqFG68tbVg09ZJnLqfHIoekyycvQGW31tmuOe2mpxKWycANiTfZJIY2/3Tt\n"
	"tctL8MUtEqGE50W/7BXiWMqWfPF1AgMBAAECgYBUgjgAL4scqALddlaLBA70GFoq\n"
	"4Mb6zb89aEP2ruK2WnnJtixjYMEvilcbkrQHqaJcNFuJIpp2edUAannFXqIFdDwT\n"
	"YKwczyzYK+diEeeScmrZYGjpAsIwxZRM/TRdPoyByBDGwFuyZ7RIfr5IK1rKmXBj\n"
	"PtV9TIeEV5NX5An1wQJBAPZzGSGPflFomdKc0MV5KRg6nC03VzLm7DUXRTSr81AE\n"
	"U8UlMDHJycK1s1VlffjZbdImVLIYoGYQkW3tIjCJagsCQQDm74lrZi4epGhLkoSz\n"
	"oMZb7KklMo7Pd92b8KX2pylGq8Uvs57oRlHgPhSYaJCjIfeetw//HEqSNCFR0Emd\n"
	"/8J/AkAJ6Z89JlRiWd62BfCvwKvSeakGeI9dUMR3bjQuZiwnL8VezJwfpIok9sH7\n"
	"0VU7ySMNrNUDRNJOyKPQ1BTn9t75AkApqxTfhQtTShTrdd9tzdecpIIMjSfJdXZN\n"
	"+cjoTVccQkgNCFrmzDFfxbPPoCZg2PMl9x/yxvcJlFBiw7NUx94fAkEAt2tD7J7R\n"
	"fl9YAwBrHCJVwHmke6KIxBwPPSktcnEodzev18aQ2P7Zr0uSC0JQ1DyRHxw2wtEd\n"
	"3sNLriKnPJL2Ng==\n"
	"-----END PRIVATE KEY-----\n";

/* another curve */
static const char refused_p384_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBOCSWfFh43191CizTJ\n"
	"T4tIHLZKM3ZI9HXxG6LS0bRsDbL3W6LkwFXFggYYyxZkpDehZANiAAQs27ayv/s9\n"
	"FJqCMef9qXJV8SB2RgVYD2tSxo38VFjl0lVH/V058dLptkhz3xQiCbnpgTb5DZ7s\n"
	"V1UuJ2PV4RZ8YFUQHGN/WfFMZUN8ZFdrDrcpb19NP2qxybxYaHqM7jY=\n"
	"-----END PRIVATE KEY-----\n";

/* another curve of the same size */
static const char refused_secp256k1_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQg9d+UQ+MWu2chB/yWxq2r\n"
	"cqZyt3yDL9OcSwKfTEQ3fDqhRANCAASGcjYVTpRy9u9ChxMV4VEbtIeHWHEIJDN7\n"
	"s0Fq10aw5PB/AVFhEjnWlrB7joqpCs8zdZwpmWqVSbKPMBWm3FY0\n"
	"-----END PRIVATE KEY-----\n";

/* the key of RFC 7515 appendix A.3.1, but as SEC 1 */
static const char refused_sec1_pem[] =
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
	"AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"
	"focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
	"-----END EC PRIVATE KEY-----\n";

/* the same, encrypted */
static const char refused_encrypted_pem[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBD0oaKeDLTlMyo2IGam\n"
	"90QQAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQz/DR+SGsz8+dWj1n\n"
	"24Ez+wSBkIzCXSFVSQ4c9hrVErVG9eg5SJk4vMbOrSZrLKPwvpZi/rmM3VgoafZk\n"
	"5ddi5sqpzMb49B2UHOsClRuLaIgc17hMt4J+1hxuYyEauRpj/htQfZlG+MxubhY1\n"
	"rd2+ToZ+YP0D83u3jVridLTCkhiFBQmovxlybC70iTVndTOg1tZUk9qKp+BtcMW+\n"
	"Rm9IMrTQMQ==\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";

/* the same, with the curve written out instead of named */
static const char refused_explicit_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIBeQIBADCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAAB\n"
	"AAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA\n"
	"///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMV\n"
	"AMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg\n"
	"9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8A\n"
	"AAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBBG0wawIBAQQgjpsQnnGQmL+Y\n"
	"BIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAcz\n"
	"NXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
	"-----END PRIVATE KEY-----\n";

/* the same private number with the public point of another key */
static const char refused_mixed_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
	"H1136cspYG6+0iY7X1fCE9+E9LKhRANCAARyMKbJH/1NW+N2qhcy5M0b7nTEkIes\n"
	"h8W6dxCFTjbzMhJxxD26UNsz2pDxkEkX5u2/lAAti5KVd3aa5ArfYWdJ\n"
	"-----END PRIVATE KEY-----\n";

#endif
