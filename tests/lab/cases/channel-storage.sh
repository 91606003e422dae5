# shellcheck shell=bash disable=SC2034,SC2154
case_about='An image into a bucket of a provider under one law at an address in another country: by name over TLS, and in the clear under a name of its own.'
case_needs='curl nginx'
case_traffic() {
    lab_put nii7 "https://images.oss-cn-hangzhou.aliyuncs.com/scan.img" -4 -k --resolve "images.oss-cn-hangzhou.aliyuncs.com:443:$CLOUD"
    lab_put nii7 "http://files.abroad.example/scan.img" -4 -H 'Authorization: OSS LTAI:c2lnbmF0dXJl'
    lab_put nii7 "http://files.abroad.example/s3.img" -4 --aws-sigv4 'aws:amz:us-east-1:s3' --user 'AKIA:secret'
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.200" and .channel[0].name=="Alibaba Cloud OSS" and .channel[0].bucket=="images" and .channel[0].region=="cn-hangzhou" and .channel[0].by=="host"' 'provider, bucket and region of the name' \
    1 '.dest_ip=="198.51.100.200" and .country=="US" and .jurisdiction=="CN"' 'the law of the provider beside the country of the address' \
    1 '.hostname=="files.abroad.example" and .channel[0].name=="Alibaba Cloud OSS" and .channel[0].by=="content"' 'known by its request under any name' \
    1 '.hostname=="files.abroad.example" and .channel[0].name=="S3 interface" and .channel[0].by=="content" and .jurisdiction==null' 'so is S3' \
    3 '.verdict=="unapproved" and .payload_bytes_out>=122880' 'all are unapproved'
}
